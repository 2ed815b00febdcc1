#include "gateway/upstream/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/elapsed.h"

namespace stoker::gateway {
namespace {

constexpr std::chrono::minutes kFlapping{5};
constexpr int kMostFlaps = 5;  // 32 times healthy_after.

std::string describe(const Work& work, SteadyTime now) {
    if (work.outstanding == 0) return "no requests outstanding";
    return fmt::format("{} requests outstanding, last byte {:.1f} s ago", work.outstanding,
                       seconds(now - work.last_progress));
}

}  // namespace

std::string_view to_string(ReplicaState state) {
    switch (state) {
        case ReplicaState::Serving:
            return "serving";
        case ReplicaState::Down:
            return "down";
        case ReplicaState::Hung:
            return "hung";
        case ReplicaState::Ejected:
            return "ejected";
        case ReplicaState::Draining:
            return "draining";
        case ReplicaState::Open:
            return "open";
        case ReplicaState::HalfOpen:
            return "half_open";
    }
    return "unknown";
}

std::string_view to_string(ReplicaEvent::Kind kind) {
    switch (kind) {
        case ReplicaEvent::Kind::Down:
            return "down";
        case ReplicaEvent::Kind::Hung:
            return "hung";
        case ReplicaEvent::Kind::Recovered:
            return "recovered";
        case ReplicaEvent::Kind::Ejected:
            return "ejected";
        case ReplicaEvent::Kind::Readmitted:
            return "readmitted";
        case ReplicaEvent::Kind::Drained:
            return "drained";
        case ReplicaEvent::Kind::Undrained:
            return "undrained";
        case ReplicaEvent::Kind::Opened:
            return "opened";
        case ReplicaEvent::Kind::Closed:
            return "closed";
    }
    return "unknown";
}

void ReplicaHealth::set_options(HealthOptions options) {
    options_ = std::move(options);
    if (options_.probed || (state_ != ReplicaState::Down && state_ != ReplicaState::Hung)) return;
    state_ = ReplicaState::Serving;
    reason_.clear();
    reset_counts();
}

void ReplicaHealth::reset_counts() {
    failed_in_row_ = 0;
    good_in_row_ = 0;
    refused_in_row_ = 0;
    stalled_ = false;
}

std::optional<Transition> ReplicaHealth::fail(ReplicaEvent::Kind kind, std::string reason,
                                              std::vector<std::string> evidence, bool cut, SteadyTime now) {
    const auto next = kind == ReplicaEvent::Kind::Hung ? ReplicaState::Hung : ReplicaState::Down;
    good_in_row_ = 0;
    if (state_ != ReplicaState::Serving) {
        // A hung replica whose process then dies is down; probes that go on to fail tell nothing new.
        const bool died = state_ == ReplicaState::Hung && next == ReplicaState::Down && cut;
        if (!died) return {};
    }
    if (state_ == ReplicaState::Serving) {
        const bool soon = recovered_at_ && now - *recovered_at_ < kFlapping;
        flaps_ = soon ? std::min(flaps_ + 1, kMostFlaps) : 0;
        if (flaps_ > 0) evidence.push_back(fmt::format("it had come back {:.0f} s ago", seconds(now - *recovered_at_)));
    }
    stalled_ = false;
    state_ = next;
    reason_ = reason;
    return Transition{kind, std::move(reason), std::move(evidence), cut};
}

std::optional<Transition> ReplicaHealth::on_probe(const Probe& probe, const Work& work, SteadyTime now) {
    last_probe_ok_ = probe.result == ProbeResult::Healthy;
    last_probe_detail_ = probe.detail;
    return last_probe_ok_ ? on_good_probe(probe, now) : on_failed_probe(probe, work, now);
}

std::optional<Transition> ReplicaHealth::on_good_probe(const Probe& probe, SteadyTime now) {
    failed_in_row_ = 0;
    refused_in_row_ = 0;
    if (needs_real_probe() && !probe.real) return {};
    ++good_in_row_;
    if (state_ != ReplicaState::Down && state_ != ReplicaState::Hung) return {};
    if (!probe.real && good_in_row_ < (options_.healthy_after << flaps_)) return {};
    const std::string was = std::string(to_string(state_));
    state_ = ReplicaState::Serving;
    recovered_at_ = now;
    reason_.clear();
    reset_counts();
    return Transition{
        ReplicaEvent::Kind::Recovered, "answers again after being " + was, {"probe: " + probe.detail}, false};
}

std::optional<Transition> ReplicaHealth::on_failed_probe(const Probe& probe, const Work& work, SteadyTime now) {
    good_in_row_ = 0;
    const bool timed_out = probe.result == ProbeResult::TimedOut;
    if (timed_out && work.outstanding > 0 && failed_in_row_ > 0 && work.last_progress > first_failed_at_) {
        failed_in_row_ = 0;  // Slow to answer /health, but its streams move.
    }
    if (failed_in_row_++ == 0) first_failed_at_ = now;
    if (failed_in_row_ < options_.unhealthy_after) return {};
    std::vector<std::string> evidence{
        fmt::format("{} probes of {} failed in a row, the last: {}", failed_in_row_, options_.path, probe.detail),
        describe(work, now)};
    if (!timed_out) {
        const bool refused = probe.result == ProbeResult::Refused;
        return fail(ReplicaEvent::Kind::Down, refused ? "connections are refused" : "health probes fail",
                    std::move(evidence), refused, now);
    }
    if (work.outstanding == 0) {
        return fail(ReplicaEvent::Kind::Down, "accepts connections but does not answer", std::move(evidence), false,
                    now);
    }
    const bool silent = work.last_progress <= first_failed_at_;
    if (!silent) return {};
    return fail(ReplicaEvent::Kind::Hung, "accepts connections but neither probes nor requests make progress",
                std::move(evidence), true, now);
}

std::optional<Transition> ReplicaHealth::on_connect_refused(SteadyTime now) {
    if (!options_.probed) return {};  // Nobody would find it well again: each request finds out for itself.
    if (refused_in_row_++ == 0) first_refused_at_ = now;
    if (refused_in_row_ < options_.refused_after) return {};
    return fail(ReplicaEvent::Kind::Down, "connections are refused",
                {fmt::format("{} connections refused in {}", refused_in_row_,
                             format_duration(std::max(Duration{1},
                                                      std::chrono::duration_cast<Duration>(now - first_refused_at_))))},
                true, now);
}

std::optional<Transition> ReplicaHealth::on_exit_hint(const std::string& reason, SteadyTime now) {
    last_probe_ok_ = false;
    last_probe_detail_ = reason;
    return fail(ReplicaEvent::Kind::Down, "its process is gone", {reason}, true, now);
}

bool ReplicaHealth::makes_no_progress(const Work& work, SteadyTime now) const {
    const auto silence = now - work.last_progress;
    if (work.flowing > 0 && silence >= options_.stall_after) {
        return !work.counters_still || *work.counters_still >= options_.stall_after / 2;
    }
    if (work.outstanding == 0 || silence < options_.silent_after) return false;
    // Half of the time: counters are read every few seconds, and are known to stand still a while after they do.
    if (work.counters_still) return *work.counters_still >= options_.silent_after / 2;
    return work.expecting > 0;  // Whole answers may well be silent.
}

std::optional<Transition> ReplicaHealth::on_tick(const Work& work, SteadyTime now) {
    if (state_ != ReplicaState::Serving || !makes_no_progress(work, now)) return {};
    std::vector<std::string> evidence{
        describe(work, now),
        fmt::format("{} streams stand still, {} wait for their first byte", work.flowing, work.expecting),
        "last probe: " + (last_probe_detail_.empty() ? "none yet" : last_probe_detail_)};
    if (work.counters_still) {
        evidence.push_back(
            fmt::format("its own counters of tokens have stood still for {:.0f} s", seconds(*work.counters_still)));
    }
    auto transition =
        fail(ReplicaEvent::Kind::Hung, "work is outstanding and nothing comes out", std::move(evidence), true, now);
    stalled_ = true;
    return transition;
}

std::optional<Transition> ReplicaHealth::eject(const std::string& reason) {
    if (state_ == ReplicaState::Ejected) return {};
    state_ = ReplicaState::Ejected;
    reason_ = reason;
    stalled_ = false;
    return Transition{ReplicaEvent::Kind::Ejected, reason, {}, false};
}

std::optional<Transition> ReplicaHealth::readmit() {
    if (state_ == ReplicaState::Serving || state_ == ReplicaState::Draining) return {};
    const std::string was = std::string(to_string(state_));
    state_ = drained_ ? ReplicaState::Draining : ReplicaState::Serving;
    reason_ = drained_ ? drain_reason_ : std::string();
    reset_counts();
    return Transition{ReplicaEvent::Kind::Readmitted,
                      "re-admitted after being " + was + (drained_ ? ", and draining as before" : ""),
                      {},
                      false};
}

std::optional<Transition> ReplicaHealth::drain(const std::string& reason) {
    if (!reason.empty() || !drained_) drain_reason_ = reason.empty() ? "by hand" : reason;  // Said again: it stays.
    if (std::exchange(drained_, true)) {
        if (state_ == ReplicaState::Draining) reason_ = drain_reason_;
        return {};
    }
    if (state_ != ReplicaState::Ejected) {  // Which somebody is at work on.
        state_ = ReplicaState::Draining;
        reason_ = drain_reason_;
    }
    return Transition{ReplicaEvent::Kind::Drained, "takes no new requests: " + drain_reason_, {}, false};
}

std::optional<Transition> ReplicaHealth::undrain() {
    if (!std::exchange(drained_, false)) return {};
    Transition transition{ReplicaEvent::Kind::Undrained, "takes requests again", {}, false};
    if (state_ != ReplicaState::Draining) return transition;
    const bool ill = failed_in_row_ >= options_.unhealthy_after;
    state_ = ill ? ReplicaState::Down : ReplicaState::Serving;
    reason_ = ill ? "health checks failed while it was drained" : "";
    if (!ill) reset_counts();
    if (ill) transition.reason = "no longer drained, but down: " + last_probe_detail_;
    return transition;
}

}  // namespace stoker::gateway
