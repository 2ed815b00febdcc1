// What requests about traces ask for, read from their parameters. Errors: InvalidArgument, naming the parameter. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/request.h"
#include "base/result.h"
#include "base/time.h"
#include "records/trace_query.h"

namespace stoker::api {

// Our own parameters: last or from and to, service, name, model, q, tag=KEY=VALUE (several), min_duration,
// max_duration, errors=true, limit. Without a time: the last hour.
Result<records::TraceFilter> trace_filter(const ApiRequest& request, Timestamp now);

// Jaeger's: service, operation, tags={"KEY":"VALUE"}, start and end in microseconds or lookback, minDuration and
// maxDuration as Go writes them ("1.2s", "100ms"), limit.
Result<records::TraceFilter> jaeger_filter(const ApiRequest& request, Timestamp now);

// Up to 32 hex digits, with zeros before them and in lower case.
Result<std::string> trace_id_of(std::string_view text);

// RFC 3339 or seconds since 1970, as nanoseconds; 0 if it is not given.
Result<std::int64_t> time_param(const ApiRequest& request, std::string_view name);

}  // namespace stoker::api
