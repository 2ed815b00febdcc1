// How a replica is: what somebody decided, what probes found and what requests met, as one state.
#include <utility>

#include "gateway/upstream/replica.h"

namespace stoker::gateway {
namespace {

std::int64_t ticks(SteadyTime time) {
    return time.time_since_epoch().count();
}

}  // namespace

bool Replica::trial_due(SteadyTime now) const {
    return state_.load(std::memory_order_relaxed) == ReplicaState::Open &&
           ticks(now) >= trial_at_.load(std::memory_order_relaxed);
}

bool Replica::claim_trial(SteadyTime now) {
    MutexLock lock(mutex_);
    if (health_.state() != ReplicaState::Serving || !breaker_.claim_trial(now)) return false;
    show_state();
    return true;
}

bool Replica::last_resort() const {
    const ReplicaState state = state_.load(std::memory_order_relaxed);
    return (state == ReplicaState::Open || state == ReplicaState::HalfOpen) && soft_.load(std::memory_order_relaxed);
}

std::optional<SteadyTime> Replica::trial_at() const {
    if (state_.load(std::memory_order_relaxed) != ReplicaState::Open) return {};
    return SteadyTime{SteadyTime::duration{trial_at_.load(std::memory_order_relaxed)}};
}

FinishedTotals Replica::finished() const {
    return {finished_.load(std::memory_order_relaxed), faults_.load(std::memory_order_relaxed)};
}

void Replica::tick_breaker(SteadyTime now) {
    MutexLock lock(mutex_);
    breaker_.on_tick(finished(), now);
    load_.set_weight(breaker_.weight(now));
}

std::optional<Replica::Change> Replica::end(const End& end, const LoadTicket& ticket, SteadyTime now) {
    load_.end(ticket);
    const bool failed = end.how == TurnEnd::Fault || end.how == TurnEnd::Suspect;
    if (failed) failures_.fetch_add(1, std::memory_order_relaxed);
    if (end.how != TurnEnd::Unsaid) finished_.fetch_add(1, std::memory_order_relaxed);
    if (end.how == TurnEnd::Fault) faults_.fetch_add(1, std::memory_order_relaxed);
    const bool good = end.how == TurnEnd::Good;
    if (good && limited_.load(std::memory_order_relaxed) != 0) limited_.store(0, std::memory_order_relaxed);
    if (!end.trial && (!good || !shaken_.load(std::memory_order_relaxed)) && end.how != TurnEnd::Fault) return {};
    MutexLock lock(mutex_);
    if (end.trial) return end_trial(end, now);
    if (!good) return count_fault(end.what, now);
    shaken_.store(false, std::memory_order_relaxed);
    breaker_.on_success();
    return {};
}

std::optional<Replica::Change> Replica::trial_flows(SteadyTime now) {
    MutexLock lock(mutex_);
    return end_trial({TurnEnd::Good, {}, true}, now);
}

std::optional<Replica::Change> Replica::confirm_fault(std::string_view what, SteadyTime now) {
    faults_.fetch_add(1, std::memory_order_relaxed);
    MutexLock lock(mutex_);
    return count_fault(what, now);
}

std::optional<Replica::Change> Replica::count_fault(std::string_view what, SteadyTime now) {
    if (health_.state() != ReplicaState::Serving) return {};  // Probes know already.
    shaken_.store(true, std::memory_order_relaxed);
    auto opening = breaker_.on_failure(what, finished(), now);
    if (!opening) return {};
    soft_.store(false, std::memory_order_relaxed);
    return publish_opening(*std::move(opening));
}

std::optional<Replica::Change> Replica::end_trial(const End& end, SteadyTime now) {
    if (breaker_.state() != Breaker::State::HalfOpen) return {};  // Probes or people were faster.
    switch (end.how) {
        case TurnEnd::Unsaid:
            breaker_.trial_said_nothing(now);
            show_state();
            return {};
        case TurnEnd::Good: {
            breaker_.trial_succeeded(now);
            load_.set_weight(breaker_.weight(now));
            return change(ReplicaEvent::Kind::Closed, "answered a request again: " + std::exchange(open_reason_, {}),
                          {});
        }
        default:
            return publish_opening(breaker_.trial_failed(end.what, now));
    }
}

std::optional<Replica::Change> Replica::trip(std::string reason, std::vector<std::string> evidence, SteadyTime now) {
    MutexLock lock(mutex_);
    if (state_locked() != ReplicaState::Serving) return {};
    soft_.store(true, std::memory_order_relaxed);
    return publish_opening(breaker_.trip(std::move(reason), std::move(evidence), now));
}

ReplicaState Replica::state_locked() const {
    if (health_.state() != ReplicaState::Serving) return health_.state();
    switch (breaker_.state()) {
        case Breaker::State::Open:
            return ReplicaState::Open;
        case Breaker::State::HalfOpen:
            return ReplicaState::HalfOpen;
        case Breaker::State::Closed:
            break;
    }
    return ReplicaState::Serving;
}

void Replica::show_state() {
    trial_at_.store(ticks(breaker_.open_until()), std::memory_order_relaxed);
    state_.store(state_locked(), std::memory_order_relaxed);
}

std::optional<Replica::Change> Replica::change(ReplicaEvent::Kind kind, std::string reason,
                                               std::vector<std::string> evidence) {
    show_state();
    since_ = stoker::now();
    Change made;
    made.event = {kind, id_, since_, std::move(reason), std::move(evidence), status_locked()};
    return made;
}

std::optional<Replica::Change> Replica::publish_opening(Breaker::Opening opening) {
    open_reason_ = opening.reason;
    return change(ReplicaEvent::Kind::Opened, std::move(opening.reason), std::move(opening.evidence));
}

// A replica that is out for other reasons has nothing to do with its circuit, and starts slowly when it is back.
std::optional<Replica::Change> Replica::publish(std::optional<Transition> transition, SteadyTime now) {
    if (!transition) {
        show_state();
        return {};
    }
    const ReplicaEvent::Kind kind = transition->kind;
    if (kind == ReplicaEvent::Kind::Undrained) {
        // As it was before.
    } else if (kind != ReplicaEvent::Kind::Drained) {
        breaker_.reset();
        progress_.forget();
        open_reason_.clear();
        shaken_.store(false, std::memory_order_relaxed);
        if (health_.state() == ReplicaState::Serving) breaker_.start_slowly(now);
        load_.set_weight(breaker_.weight(now));
    }
    auto made = change(kind, std::move(transition->reason), std::move(transition->evidence));
    made->cut_requests = transition->cut_requests;
    return made;
}

}  // namespace stoker::gateway
