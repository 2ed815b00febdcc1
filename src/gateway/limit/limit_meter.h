// The two counters that limits are made of: a meter for rates and a count by day. Pure; time is an argument.
//
// The meter is a leaky bucket used as a meter (ITU-T I.371, annex A.2; the continuous form of GCRA): what is used fills
// it, time empties it at the limit's rate, and what would make it overflow does not conform. Its capacity is the burst.
// Between any two moments t seconds apart at most capacity + rate * t conforms; with a burst of a minute, after an idle
// minute, that is twice the limit in the minute that follows and the limit in every one after it.
//
// Not thread-safe.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace stoker::gateway {

// REQUIRES: both above 0.
struct MeterRate {
    double per_second = 0;
    double capacity = 0;
};

class Meter {
public:
    // What is in it now.
    double level(SteadyTime now, MeterRate rate) const;
    // How many whole units fit now; never below 0.
    std::int64_t room(SteadyTime now, MeterRate rate) const;
    // When `units` fit if nothing else comes: 0 now. REQUIRES: units <= capacity.
    Duration wait_for(double units, SteadyTime now, MeterRate rate) const;
    // When it is empty if nothing else comes.
    Duration until_empty(SteadyTime now, MeterRate rate) const;
    // Takes (or with a negative number gives back) without asking. What was taken may exceed the capacity: a debt,
    // which time pays like the rest.
    void add(double units, SteadyTime now, MeterRate rate);
    // Holds just this much now.
    void set(double units, SteadyTime now);

private:
    double level_ = 0;
    SteadyTime at_{};
};

// Days since 1970, UTC.
std::int64_t day_of(Timestamp time);
// To the next midnight, UTC; above 0.
Duration until_tomorrow(Timestamp time);

class DayCount {
public:
    // Call before anything else: a new day begins with nothing used. What is reserved stays so over midnight and counts
    // for the day on which it is used.
    void turn_to(std::int64_t day);

    void reserve(std::int64_t tokens) { reserved_ += tokens; }
    void settle(std::int64_t reserved, std::int64_t used);
    void restore(std::int64_t used) { used_ += used; }
    void set(std::int64_t day, std::int64_t used, std::int64_t reserved);

    std::int64_t day() const { return day_; }
    std::int64_t used() const { return used_; }
    std::int64_t reserved() const { return reserved_; }

private:
    std::int64_t day_ = 0;
    std::int64_t used_ = 0;
    std::int64_t reserved_ = 0;
};

}  // namespace stoker::gateway
