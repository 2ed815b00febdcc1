// Encodes OTLP metrics as protobuf, from the same structs that the decoder fills; and reads what receivers answer.
//
// Stateless and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/otlp.h"

namespace stoker::wire::otlp {

// ExportMetricsServiceRequest. Attributes go as strings.
std::string encode_metrics(const MetricsRequest& request);

// What a receiver says that it left out of a request that it took.
struct PartialSuccess {
    std::int64_t rejected = 0;
    std::string message;
};
// Of an Export...ServiceResponse; nothing rejected for an empty body or one that is none.
PartialSuccess parse_partial_success(std::string_view body);

}  // namespace stoker::wire::otlp
