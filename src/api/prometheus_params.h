// Reading the parameters of Prometheus' HTTP API, with its own words for what is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/request.h"
#include "base/result.h"
#include "base/time.h"
#include "tsdb/matcher.h"
#include "tsdb/querier.h"

namespace stoker::api {

// `invalid parameter "NAME": WHY`.
Error bad_param(std::string_view name, const std::string& why);

// The first parameter of that name; empty if there is none.
std::string_view prometheus_param(const ApiRequest& request, std::string_view name);

// All parameters of that name.
std::vector<std::string> prometheus_params(const ApiRequest& request, std::string_view name);

// RFC 3339, or seconds since 1970 with a fraction; without a fallback, it must be given. Errors: InvalidArgument,
// naming the parameter.
Result<Timestamp> prometheus_time(const ApiRequest& request, std::string_view name,
                                  std::optional<Timestamp> fallback = std::nullopt);

// Seconds with a fraction, or "1m30s". Errors: InvalidArgument, naming the parameter.
Result<Duration> prometheus_duration(const ApiRequest& request, std::string_view name);

// How many results at most; 0 for all. Errors: InvalidArgument.
Result<std::size_t> prometheus_limit(const ApiRequest& request);

// A whole number that may be negative; nothing if the parameter is not given. Errors: InvalidArgument, "NAME must be a
// number".
Result<std::optional<std::int64_t>> prometheus_number(const ApiRequest& request, std::string_view name);

// As Go reads one: 1, t, true, 0, f, false and their capitals. False if the parameter is not given. Errors:
// InvalidArgument.
Result<bool> prometheus_bool(const ApiRequest& request, std::string_view name);

// One list of matchers for each match[]. Errors: InvalidArgument.
Result<std::vector<std::vector<tsdb::Matcher>>> prometheus_matchers(const ApiRequest& request);

// Whether all of them hold.
bool match_all(const std::vector<tsdb::CompiledMatcher>& matchers, const tsdb::Labels& labels);

struct TimeSpan {
    std::int64_t start = 0;
    std::int64_t end = 0;
};

// `start` and `end`, by default all of time; the end may lie before the start. Errors: InvalidArgument.
Result<TimeSpan> prometheus_span(const ApiRequest& request);

// The label name that a path carries: as it is, or as U__ escapes it (U__a_2e_b is a.b). Errors: InvalidArgument.
Result<std::string> prometheus_label_name(std::string_view text);

}  // namespace stoker::api
