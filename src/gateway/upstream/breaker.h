// One replica's circuit breaker: what real requests say of it, where health.h is what probes say.
//
//   Closed ──failures──► Open ──open_for──► HalfOpen (one request) ──good──► Closed, at a growing share (slow start)
//      ▲                  ▲                     │
//      └── slow start     └──── longer ─────────┘ bad
//
// It opens on failures of the replica's own making alone: so many in a row, or so large a share of the requests of a
// window. Each opening that follows soon on another lasts twice as long, so that a replica that flaps is tried less and
// less. trip() opens it for a reason from outside (an outlier among its pool, outliers.h).
//
// Successes are not told one by one, which would cost every request a lock: the caller keeps totals and shows them at
// failures and ticks. Pure; not thread-safe: Replica guards it with its mutex.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "gateway/options.h"

namespace stoker::gateway {

// Requests that a replica finished, well or by its own fault, since it is known.
struct FinishedTotals {
    std::int64_t requests = 0;
    std::int64_t failures = 0;
};

class Breaker {
public:
    enum class State : std::uint8_t { Closed, Open, HalfOpen };

    // Why it opened.
    struct Opening {
        std::string reason;
        std::vector<std::string> evidence;
    };

    explicit Breaker(BreakerOptions options) : options_(options) {}
    void set_options(BreakerOptions options) { options_ = options; }

    // A request that was no trial failed by the replica's fault; `totals` has it. `what` names the failure.
    std::optional<Opening> on_failure(std::string_view what, FinishedTotals totals, SteadyTime now);
    // One went well: only where failures_in_row() is not 0 does this change anything.
    void on_success() { in_row_ = 0; }
    void on_tick(FinishedTotals totals, SteadyTime now);
    // REQUIRES: closed.
    Opening trip(std::string reason, std::vector<std::string> evidence, SteadyTime now);

    // Takes the one trial: true, and half open, if it is open and open_until() has come.
    bool claim_trial(SteadyTime now);
    // How the trial ended. REQUIRES: half open.
    void trial_succeeded(SteadyTime now);
    Opening trial_failed(std::string_view what, SteadyTime now);
    void trial_said_nothing(SteadyTime now);  // The client left, for example: the next request is the trial.

    // The replica was found down or ejected: what is to be known of it now is not for requests to find out.
    void reset();
    // It is back, with cold caches: it begins with a small share.
    void start_slowly(SteadyTime now);

    State state() const { return state_; }
    SteadyTime open_until() const { return open_until_; }
    int failures_in_row() const { return in_row_; }
    int openings() const { return openings_; }  // That count for how long the next one lasts.
    // Of its part of the pool's requests: 1, or less during slow start. Above 0.
    double weight(SteadyTime now) const;

private:
    struct Snapshot {
        SteadyTime at;
        FinishedTotals totals;
    };
    // The totals at the beginning of the window, as far back as they are known.
    std::optional<FinishedTotals> since_window(SteadyTime now) const;
    void keep(FinishedTotals totals, SteadyTime now);
    Opening open(std::string reason, std::vector<std::string> evidence, SteadyTime now);

    BreakerOptions options_;
    State state_ = State::Closed;
    int in_row_ = 0;
    int openings_ = 0;
    SteadyTime open_until_{};
    std::optional<SteadyTime> closed_at_;   // Since it was open last.
    std::optional<SteadyTime> ramp_since_;  // Of slow start.
    std::deque<Snapshot> snapshots_;        // Of the window, oldest first; bounded by their spacing.
};

}  // namespace stoker::gateway
