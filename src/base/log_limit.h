// Bounds how many lines with the same message are written: a disk that is full, or a peer that is down, must not bury
// everything else in thousands of lines. Messages are constant texts; what differs stands in their fields.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace stoker::log {

// Not thread-safe.
class LineLimit {
public:
    static constexpr int kMost = 20;  // Lines of one message within kWindow.
    static constexpr std::chrono::seconds kWindow{10};
    static constexpr std::size_t kMessages = 256;  // Followed at a time; others are not limited.

    // Whether a line with this message may be written: nothing if not, else how many have been left out since the last
    // that was.
    std::optional<std::uint64_t> admit(std::string_view message, SteadyTime now);

private:
    struct Window {
        SteadyTime start;
        int written = 0;
        std::uint64_t left_out = 0;
    };
    std::map<std::string, Window, std::less<>> windows_;
};

}  // namespace stoker::log
