// How fast places become free: what an honest Retry-After is made of. Pure; not thread-safe.
//
// By Little's law n requests under way that take w seconds each end at a rate of n / w, which is known after the first
// one has ended, however slow they are. When somebody has waited for much longer than that rate says and nothing has
// ended, it is not true any more, and the silence itself is the best estimate. Silence while nobody waits says nothing.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace stoker::gateway {

class DrainRate {
public:
    // A request that had its place since `began` has left it.
    void note_end(SteadyTime began, SteadyTime now) {
        constexpr double kNewest = 1.0 / 16;
        const double held = std::chrono::duration<double>(now - began).count();
        ++ends_;
        mean_ += std::max(kNewest, 1.0 / static_cast<double>(ends_)) * (held - mean_);
        quiet_since_ = std::max(quiet_since_, now);
    }
    // Somebody waits from now on, and nobody did before.
    void note_waiting(SteadyTime now) { quiet_since_ = std::max(quiet_since_, now); }

    // Places that become free in a second, of `running` taken ones. Empty: nothing has ended yet.
    std::optional<double> per_second(std::size_t running, bool somebody_waits, SteadyTime now) const {
        constexpr double kPatience = 3;  // Gaps between ends vary; three times the mean is rare.
        constexpr double kShortest = 1e-4;
        if (ends_ == 0) return {};
        const double rate = static_cast<double>(std::max<std::size_t>(running, 1)) / std::max(mean_, kShortest);
        const double silence = std::chrono::duration<double>(now - quiet_since_).count();
        return somebody_waits && silence > kPatience / rate ? kPatience / silence : rate;
    }

    // Whether so many places will hardly become free within that time: not even if they do so faster than usual, by
    // one standard deviation of a Poisson process (which one time in six is beyond). False while too little has ended
    // for a rate that means something: to wait in vain is bad, to be refused in vain is worse.
    bool too_many(double places, double rate, Duration within) const {
        constexpr std::uint64_t kFewest = 8;
        if (ends_ < kFewest) return false;
        return places - std::sqrt(places) > rate * std::chrono::duration<double>(within).count();
    }

private:
    double mean_ = 0;  // Seconds for which a place is held.
    std::uint64_t ends_ = 0;
    SteadyTime quiet_since_{};
};

}  // namespace stoker::gateway
