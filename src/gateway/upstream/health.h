// One replica's health: Serving -> Down | Hung -> Serving, and Ejected or Draining when somebody decided so.
//
// A pure state machine. It is fed what probes and real requests saw, and returns the changes. What the states mean:
//
//   Down   connections are refused (refused_after real ones, or unhealthy_after probes, in a row), probes fail with a
//   5xx
//          or time out while no work is outstanding, or the supervisor saw the process exit.
//   Hung   it accepts but does nothing with what it has: either probes time out unhealthy_after times while work is
//          outstanding and not one byte of it comes, or it makes no progress although /health may say 200: every stream
//          that had begun was silent for stall_after, or those that wait for their first byte for silent_after, or
//          (where nothing is streamed) the engine's own counters stood still for silent_after while it had work.
//          Counters that move prove the opposite: then the silence is not the engine's. The second kind is not believed
//          to be over because /health says 200: recovery then takes a real request that is answered
//          (needs_real_probe()).
//
// One that fails again soon after it came back (kFlapping) must be well for twice as long each time.
//
// A replica whose /health is slow while its streams flow is busy, not hung: progress resets the count of timeouts.
// Ejected and Draining take no traffic, whatever probes say, until readmit() and undrain(); what probes see is still
// remembered. Draining is an operator's word and outlasts the others: healing may eject and re-admit a replica
// meanwhile, which then drains again, and what it does while it drains is nobody's alarm.
//
// Not thread-safe; Replica guards it with its mutex.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "gateway/options.h"
#include "gateway/upstream/replica_status.h"

namespace stoker::gateway {

enum class ProbeResult : std::uint8_t {
    Healthy,   // Answered below 500 (or the real request was answered).
    Unwell,    // Answered 5xx, or nonsense.
    Refused,   // No connection.
    TimedOut,  // Connection, but no answer in time.
};

struct Probe {
    ProbeResult result{};
    std::string detail;  // "200 in 3 ms"
    bool real = false;   // A request to the model, not just /health.
};

// What the replica's requests look like at this moment.
struct Work {
    std::int64_t outstanding = 0;  // Requests sent and not finished.
    std::int64_t flowing = 0;      // Streams with a first byte, waiting for more from the replica.
    std::int64_t expecting = 0;    // Streams waiting for their first byte.
    SteadyTime last_progress{};    // Last byte of any answer, or when outstanding last left zero.
    // How long the engine's own counters of tokens have stood still though it has work; empty: not known.
    std::optional<Duration> counters_still{};
};

struct Transition {
    ReplicaEvent::Kind kind{};
    std::string reason;
    std::vector<std::string> evidence;
    bool cut_requests = false;  // What is under way has no hope: end it now.
};

class ReplicaHealth {
public:
    explicit ReplicaHealth(HealthOptions options) : options_(std::move(options)) {}

    // Each takes the time of the observation and returns the change it made, if any.
    std::optional<Transition> on_probe(const Probe& probe, const Work& work, SteadyTime now);
    std::optional<Transition> on_connect_refused(SteadyTime now);
    void on_connected() { refused_in_row_ = 0; }
    std::optional<Transition> on_exit_hint(const std::string& reason, SteadyTime now);
    std::optional<Transition> on_tick(const Work& work, SteadyTime now);

    std::optional<Transition> eject(const std::string& reason);
    std::optional<Transition> readmit();
    std::optional<Transition> drain(const std::string& reason);
    std::optional<Transition> undrain();  // Serving again, or Down if the last probes say so.

    // A reload may change the numbers; state and counts stay.
    // What is probed no more would never be found well again: it is taken for well.
    void set_options(HealthOptions options);

    ReplicaState state() const { return state_; }
    bool drained() const { return drained_; }
    const std::string& reason() const { return reason_; }
    bool last_probe_ok() const { return last_probe_ok_; }
    const std::string& last_probe_detail() const { return last_probe_detail_; }
    bool probed() const { return options_.probed; }

    // The next probe should be a request to the model: the replica stalled while /health may well have been 200.
    bool needs_real_probe() const { return state_ == ReplicaState::Hung && stalled_; }
    // Before the next probe: the interval, or half of it while the last one failed.
    Duration probe_delay() const { return last_probe_ok_ ? options_.interval : options_.interval / 2; }

private:
    std::optional<Transition> fail(ReplicaEvent::Kind kind, std::string reason, std::vector<std::string> evidence,
                                   bool cut, SteadyTime now);
    std::optional<Transition> on_failed_probe(const Probe& probe, const Work& work, SteadyTime now);
    std::optional<Transition> on_good_probe(const Probe& probe, SteadyTime now);
    bool makes_no_progress(const Work& work, SteadyTime now) const;
    void reset_counts();

    HealthOptions options_;
    ReplicaState state_ = ReplicaState::Serving;
    std::string reason_;
    bool drained_ = false;  // Until undrain(), whatever the state is meanwhile.
    std::string drain_reason_;
    bool stalled_ = false;  // Hung because streams stood still, not because probes timed out.
    bool last_probe_ok_ = true;
    std::string last_probe_detail_;
    int failed_in_row_ = 0;
    int good_in_row_ = 0;
    int refused_in_row_ = 0;
    int flaps_ = 0;                           // Failures soon after a recovery, one after the other.
    std::optional<SteadyTime> recovered_at_;  // Last.
    SteadyTime first_failed_at_{};            // Of the current run of failed probes.
    SteadyTime first_refused_at_{};
};

}  // namespace stoker::gateway
