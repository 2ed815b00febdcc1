// How fast places become free: what an honest Retry-After is made of. Pure; not thread-safe.
//
// By Little's law n requests under way that take w seconds each end at a rate of n / w, which is known after the first
// one has ended, however slow they are. When nothing has ended for much longer than that rate says, it is not true any
// more, and the silence itself is the best estimate.
#pragma once

#include <algorithm>
#include <optional>

#include "base/time.h"

namespace stoker::gateway {

class DrainRate {
public:
    // A request that had its place since `began` has left it.
    void note_end(SteadyTime began, SteadyTime now) {
        constexpr double kNewest = 1.0 / 16;
        const double held = std::chrono::duration<double>(now - began).count();
        mean_ = ended_ == SteadyTime{} ? held : mean_ + kNewest * (held - mean_);
        ended_ = std::max(ended_, now);
    }

    // Places that become free in a second, of `running` taken ones. Empty: nothing has ended yet.
    std::optional<double> per_second(std::size_t running, SteadyTime now) const {
        constexpr double kPatience = 3;  // Gaps between ends vary; three times the mean is rare.
        constexpr double kShortest = 1e-4;
        if (ended_ == SteadyTime{}) return {};
        const double rate = static_cast<double>(std::max<std::size_t>(running, 1)) / std::max(mean_, kShortest);
        const double silence = std::chrono::duration<double>(now - ended_).count();
        return running > 0 && silence > kPatience / rate ? kPatience / silence : rate;
    }

    // Seconds for which a place is held, on average; 0 while unknown.
    double mean_seconds() const { return mean_; }

private:
    double mean_ = 0;
    SteadyTime ended_{};
};

}  // namespace stoker::gateway
