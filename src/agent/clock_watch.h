// Notices that the wall clock was set, by comparing it with the steady one. Not thread-safe.
#pragma once

#include <optional>

#include "agent/buffer.h"

namespace stoker::agent {

class ClockWatch {
public:
    // By how much the wall clock was set since the look before: 0 if it was not, by more than a second.
    Duration look(Moment now) {
        const auto drift = [](const Moment& from, const Moment& to) {
            const auto steady = std::chrono::duration_cast<Duration>(to.steady - from.steady);
            return (to.wall - from.wall) - steady;
        };
        const Duration step = last_ ? drift(*last_, now) : Duration{0};
        last_ = now;
        return step > kLeast || step < -kLeast ? step : Duration{0};
    }

    static constexpr Duration kLeast{1'000};  // Slewing by NTP is far below this between two looks.

private:
    std::optional<Moment> last_;
};

}  // namespace stoker::agent
