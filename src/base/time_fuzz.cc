// Durations and times from any text: what is accepted reads back the same after formatting.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto duration = parse_duration(text)) {
        const auto again = parse_duration(format_duration(*duration));
        STOKER_CHECK(again && *again == *duration);
    }
    if (const auto time = parse_timestamp(text)) {
        // Four digits of a year are all that RFC 3339 has.
        const bool in_range = *time >= Timestamp(std::chrono::sys_days(std::chrono::year(0) / 1 / 1)) &&
                              *time < Timestamp(std::chrono::sys_days(std::chrono::year(10000) / 1 / 1));
        if (in_range) {
            const auto again = parse_timestamp(format_timestamp(*time));
            STOKER_CHECK(again && *again == *time);
        }
    }
    return 0;
}
