// Time as Stoker keeps it: milliseconds since 1970 UTC for samples, nanoseconds for spans and latencies.
//
// Cores take time as an argument; a component that must ask for it takes a Clock, so that a test can turn it.
// Everything here is thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stoker {

using Duration = std::chrono::milliseconds;
using Timestamp = std::chrono::sys_time<Duration>;
using SteadyTime = std::chrono::steady_clock::time_point;
using Clock = std::function<Timestamp()>;

// The wall clock, to the millisecond.
Timestamp now();

// Milliseconds since 1970, as samples and records carry it.
constexpr std::int64_t to_millis(Timestamp time) {
    return time.time_since_epoch().count();
}
constexpr Timestamp from_millis(std::int64_t millis) {
    return Timestamp{Duration{millis}};
}

// Nanoseconds since 1970, for spans.
std::int64_t now_nanos();

// Prometheus' duration syntax: "1h30m", "15s", "250ms", also y, w, d; "0" is zero. Errors: InvalidArgument.
Result<Duration> parse_duration(std::string_view text);

// The shortest form that parse_duration reads back: 90000 ms is "1m30s".
std::string format_duration(Duration duration);

// RFC 3339 ("2026-11-22T10:00:00.5Z", offsets accepted) or seconds since 1970 with a fraction. Errors: InvalidArgument.
Result<Timestamp> parse_timestamp(std::string_view text);

// RFC 3339 in UTC with milliseconds: "2026-11-22T10:00:00.500Z".
std::string format_timestamp(Timestamp time);

}  // namespace stoker
