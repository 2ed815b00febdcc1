#include "api/prometheus_params.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "promql/format.h"
#include "promql/lexer.h"

namespace stoker::api {

namespace {

// Wide enough for every sample, and far enough from the ends of 64 bits that sums with durations are safe.
constexpr std::int64_t kForever = std::int64_t{1} << 60;

Error bad_param(std::string_view name, const std::string& why) {
    return Error{Errc::InvalidArgument, "invalid parameter " + promql::quote(name) + ": " + why};
}

}  // namespace

std::string_view prometheus_param(const PrometheusRequest& request, std::string_view name) {
    for (const auto& [key, value] : request.params) {
        if (key == name) return value;
    }
    return {};
}

Result<Timestamp> prometheus_time(const PrometheusRequest& request, std::string_view name,
                                  std::optional<Timestamp> fallback) {
    const std::string_view text = prometheus_param(request, name);
    if (text.empty() && fallback) return *fallback;
    double seconds = 0;
    if (promql::read_number(text, seconds)) {
        const double millis = std::round(seconds * 1000);
        if (std::abs(millis) < static_cast<double>(kForever)) return from_millis(static_cast<std::int64_t>(millis));
    } else if (auto time = parse_timestamp(text)) {
        return *time;
    }
    return bad_param(name, "cannot parse " + promql::quote(text) + " to a valid timestamp");
}

Result<Duration> prometheus_duration(const PrometheusRequest& request, std::string_view name) {
    const std::string_view text = prometheus_param(request, name);
    double seconds = 0;
    std::int64_t millis = 0;
    if (promql::read_number(text, seconds)) {
        // The longest duration that 64 bits of nanoseconds hold.
        if (!(std::abs(seconds) < 9.2e9)) {
            return bad_param(name, "cannot parse " + promql::quote(text) + " to a valid duration. It overflows int64");
        }
        return Duration{static_cast<std::int64_t>(seconds * 1000)};
    }
    if (promql::read_duration(text, millis)) return Duration{millis};
    return bad_param(name, "cannot parse " + promql::quote(text) + " to a valid duration");
}

Result<std::size_t> prometheus_limit(const PrometheusRequest& request) {
    const std::string_view text = prometheus_param(request, "limit");
    if (text.empty()) return std::size_t{0};
    std::int64_t limit = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc() || end != text.data() + text.size()) {
        return bad_param("limit", "cannot parse " + promql::quote(text) + " to a valid number");
    }
    if (limit < 0) return bad_param("limit", "limit must be non-negative");
    return static_cast<std::size_t>(limit);
}

Result<std::vector<std::vector<tsdb::Matcher>>> prometheus_matchers(const PrometheusRequest& request) {
    std::vector<std::vector<tsdb::Matcher>> all;
    for (const auto& [key, value] : request.params) {
        if (key != "match[]") continue;
        auto matchers = promql::parse_selector(value);
        if (!matchers) return bad_param("match[]", matchers.error().message);
        all.push_back(*std::move(matchers));
    }
    return all;
}

Result<TimeSpan> prometheus_span(const PrometheusRequest& request) {
    TRY(const Timestamp start, prometheus_time(request, "start", from_millis(-kForever)));
    TRY(const Timestamp end, prometheus_time(request, "end", from_millis(kForever)));
    if (end < start) return bad_param("end", "end timestamp must not be before start time");
    return TimeSpan{to_millis(start), to_millis(end)};
}

}  // namespace stoker::api
