// Received spans as rows of the telemetry store. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "records/telemetry.h"
#include "wire/received_spans.h"

namespace stoker::api {

struct SpanLimits {
    std::size_t max_spans = 50'000;                      // Of one request.
    std::size_t max_row_bytes = std::size_t{256} << 10;  // Of one span with all that hangs on it.
    std::size_t max_name_bytes = 1024;                   // Longer names are cut.
};

struct ConvertedSpans {
    std::vector<records::SpanRow> rows;
    std::size_t rejected = 0;
    std::string why;  // The first reason, if any was rejected.
};

// `format` is what the rows say they came as. A span without an id, or one that is too large, is rejected alone.
ConvertedSpans convert_spans(wire::SpansRequest request, std::string_view format, const SpanLimits& limits);

// A JSON object of the attributes, empty for none.
std::string to_json(const wire::JsonAttributes& attributes);

}  // namespace stoker::api
