// What OTLP metrics and attributes are called in the store.
//
// Rules: opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics, as Prometheus applies them, so that
// dashboards made for one work with the other. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/otlp.h"

namespace stoker::collect {

// Prometheus' otlp.translation_strategy.
enum class OtlpNames : std::uint8_t {
    UnderscoreEscapingWithSuffixes,     // http.server.duration in ms: http_server_duration_milliseconds
    UnderscoreEscapingWithoutSuffixes,  // http_server_duration
    NoUtf8EscapingWithSuffixes,         // http.server.duration_milliseconds
    NoTranslation,                      // http.server.duration
};
// By the names above, with UTF8 in capitals as Prometheus writes it. Errors: InvalidArgument.
Result<OtlpNames> parse_otlp_names(std::string_view text);

// Without _bucket, _sum and _count; empty if nothing of the name can be kept.
std::string otlp_metric_name(const wire::otlp::Metric& metric, OtlpNames names);
// Empty if nothing of it can be kept.
std::string otlp_label_name(std::string_view attribute, OtlpNames names);
// "seconds" of "s", "bytes_per_second" of "By/s"; empty for "1" and annotations like "{token}".
std::string otlp_unit(std::string_view unit);

}  // namespace stoker::collect
