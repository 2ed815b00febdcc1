// When a level begins and ends: one Schmitt trigger for each condition and level.
//
// A trigger closes when its value has been at or above the threshold for raise_after, and opens when it has been below
// clear_ratio of the threshold, or without a value, for clear_after. No value clears: a pool that refuses everything
// has no latency, and must come back. A trigger that closes again soon after it opened stays closed twice as long the
// next time, up to kMostPatience times clear_after: load that comes back whenever the level falls can not make it flap.
//
// Pure; time is an argument. Not thread-safe.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/time.h"
#include "gateway/degrade/degradation.h"

namespace stoker::gateway {

struct DegradationTimes {
    Duration raise_after{};
    Duration clear_after{};
    double clear_ratio = 0;
};

class DegradationTrigger {
public:
    static constexpr int kMostPatience = 8;

    // Whether it is closed after this value. REQUIRES: `now` is not before that of the call before.
    bool observe(std::optional<double> value, double threshold, const DegradationTimes& times, SteadyTime now);
    bool closed() const { return closed_; }

private:
    bool closed_ = false;
    int patience_ = 1;                 // Times clear_after.
    std::optional<SteadyTime> since_;  // The other side of the trigger has been seen since then without a break.
    std::optional<SteadyTime> opened_at_;
};

// What one condition asks for in one scope (a pool, or all of them).
class ConditionState {
public:
    // The level after this value.
    DegradationLevel observe(std::optional<double> value, const DegradationCondition& condition,
                             const DegradationTimes& times, SteadyTime now);
    DegradationLevel level() const { return level_; }
    std::optional<double> value() const { return value_; }

private:
    std::array<DegradationTrigger, kDegradationLevels> triggers_;
    DegradationLevel level_ = DegradationLevel::Normal;
    std::optional<double> value_;
};

}  // namespace stoker::gateway
