// Times as logs write them, to the nanosecond.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stoker::collect {

struct FoundTime {
    std::int64_t nanos = 0;  // Since 1970.
    std::size_t length = 0;  // Of the text that said it.
};

// A time that begins the text: "2026-11-22T10:00:00.5Z", "2026-11-22 10:00:00,123 +02:00", "2026/11/22 10:00:00".
// Without an offset it is this machine's local time. Nothing if the text begins otherwise.
std::optional<FoundTime> time_at_front(std::string_view text);

// A number of seconds, milliseconds, microseconds or nanoseconds since 1970: which, its size says (years 2001 to 2286).
std::optional<std::int64_t> time_of_number(double number);

// The whole text as either of the above, or whole nanoseconds.
std::optional<std::int64_t> parse_log_time(std::string_view text);

}  // namespace stoker::collect
