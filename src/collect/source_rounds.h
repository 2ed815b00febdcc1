// When one source is read: every interval, never two rounds at a time, and said to hang when a round takes too long.
//
// Rounds stand on a grid (the first one's time and multiples of the interval), so a slow round does not shift those
// after it; what falls on a round still under way is skipped and counted. Pure, not thread-safe.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace stoker::collect {

struct SourceSchedule {
    Duration interval{15'000};  // From the begin of one round to that of the next. REQUIRES: > 0.
    Duration deadline{15'000};  // A round that takes longer hangs. REQUIRES: > 0. May be longer than the interval.
    friend bool operator==(const SourceSchedule&, const SourceSchedule&) = default;
};

class SourceRounds {
public:
    SourceRounds(SourceSchedule schedule, SteadyTime first) : schedule_(schedule), due_(first) {}

    struct Step {
        bool start = false;         // A round is to begin now; it is under way from here on.
        bool hung = false;          // The round under way has just passed its deadline: said once a round.
        std::uint64_t skipped = 0;  // Rounds that fell due and are not done.
    };

    // What is to be done at `now`. REQUIRES: `now` never goes back.
    Step tick(SteadyTime now);

    // When tick() has something to say next.
    SteadyTime next() const;

    // The round under way is over. True if it was said to hang.
    bool ended();

    bool hung() const { return hung_; }

private:
    const SourceSchedule schedule_;
    SteadyTime due_;
    SteadyTime started_{};
    bool running_ = false;
    bool hung_ = false;
};

}  // namespace stoker::collect
