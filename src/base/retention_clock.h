// The time by which data are deleted for their age. A wall clock that is set wrong for a while, by a bad time server or
// a dead battery at boot, must not delete a year of data: this one runs with the steady clock and follows the wall
// clock ahead only when that has stayed ahead for a day. Back it follows at once, as that deletes less.
#pragma once

#include <optional>

#include "base/time.h"

namespace stoker {

// Not thread-safe.
class RetentionClock {
public:
    static constexpr std::chrono::hours kTolerance{1};       // So far ahead the wall clock is believed at once.
    static constexpr std::chrono::hours kStopped{7LL * 24};  // So long a stop is, at a start, too.
    static constexpr std::chrono::hours kDoubt{24};          // So long it must stay further ahead to be believed.

    RetentionClock(Timestamp wall, SteadyTime steady) : believed_(wall), looked_(steady) {}

    // What is stored ends at `newest`: if the wall clock is more than kStopped after that, it is doubted as after a
    // step.
    void stored_until(Timestamp newest);

    // REQUIRES: `steady` does not go back.
    Timestamp at(Timestamp wall, SteadyTime steady);

private:
    Timestamp believed_;
    SteadyTime looked_;
    std::optional<SteadyTime> doubted_since_;
};

// The process's own RetentionClock, which begins with the first call of either function, told of the wall clock now.
// Thread-safe.
Timestamp retention_now();

// Tells it where the stored data end, when they are opened. Thread-safe.
void retention_stored_until(Timestamp newest);

}  // namespace stoker
