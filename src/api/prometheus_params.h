// Reading the parameters of Prometheus' HTTP API, with its own words for what is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/prometheus_api.h"
#include "base/result.h"
#include "base/time.h"
#include "tsdb/querier.h"

namespace stoker::api {

// The first parameter of that name; empty if there is none.
std::string_view prometheus_param(const PrometheusRequest& request, std::string_view name);

// RFC 3339, or seconds since 1970 with a fraction. Errors: InvalidArgument, naming the parameter.
Result<Timestamp> prometheus_time(const PrometheusRequest& request, std::string_view name,
                                  std::optional<Timestamp> fallback);

// Seconds with a fraction, or "1m30s". Errors: InvalidArgument, naming the parameter.
Result<Duration> prometheus_duration(const PrometheusRequest& request, std::string_view name);

// How many results at most; 0 for all. Errors: InvalidArgument.
Result<std::size_t> prometheus_limit(const PrometheusRequest& request);

// One list of matchers for each match[]. Errors: InvalidArgument.
Result<std::vector<std::vector<tsdb::Matcher>>> prometheus_matchers(const PrometheusRequest& request);

struct TimeSpan {
    std::int64_t start = 0;
    std::int64_t end = 0;
};

// `start` and `end`, by default all of time. Errors: InvalidArgument.
Result<TimeSpan> prometheus_span(const PrometheusRequest& request);

}  // namespace stoker::api
