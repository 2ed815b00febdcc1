#include "gateway/upstream/replica.h"

#include <algorithm>
#include <utility>

namespace stoker::gateway {
namespace {

std::int64_t ticks(SteadyTime time) {
    return time.time_since_epoch().count();
}
SteadyTime from_ticks(std::int64_t ticks) {
    return SteadyTime{SteadyTime::duration{ticks}};
}

}  // namespace

Replica::Replica(std::string id, std::string pool, net::Url url, std::string url_text, HealthOptions health,
                 BreakerOptions breaker)
    : id_(std::move(id)),
      pool_(std::move(pool)),
      url_(std::move(url)),
      url_text_(std::move(url_text)),
      health_(std::move(health)),
      breaker_(breaker),
      since_(now()) {}

Duration Replica::rest_left(SteadyTime now) const {
    const SteadyTime until = from_ticks(rest_until_.load(std::memory_order_relaxed));
    return until <= now ? Duration{0} : std::chrono::ceil<Duration>(until - now);
}

void Replica::rest_until(SteadyTime until, bool rate_limited) {
    rate_limited_.store(rate_limited, std::memory_order_relaxed);
    rest_until_.store(ticks(until), std::memory_order_relaxed);
}

bool Replica::limited(SteadyTime now) const {
    return ticks(now) < limited_until_.load(std::memory_order_relaxed);
}

void Replica::note_limited(SteadyTime now) {
    constexpr std::chrono::milliseconds kFirst{250};
    constexpr int kMostDoublings = 5;  // To 8 s.
    if (limited(now)) return;          // The others that were sent with the first say nothing new.
    const int before = limited_.fetch_add(1, std::memory_order_relaxed);
    limited_until_.store(ticks(now + kFirst * (1 << std::min(before, kMostDoublings))), std::memory_order_relaxed);
}

bool Replica::refuses_continuation(SteadyTime now) const {
    return ticks(now) < no_continuation_until_.load(std::memory_order_relaxed);
}

void Replica::note_continuation_refused(SteadyTime now) {
    constexpr std::chrono::minutes kRest{10};
    no_continuation_until_.store(ticks(now + kRest), std::memory_order_relaxed);
}

LoadTicket Replica::begin(SteadyTime now, const LoadEstimate& estimate) {
    requests_.fetch_add(1, std::memory_order_relaxed);
    if (outstanding() == 0) busy_since_.store(ticks(now), std::memory_order_relaxed);
    return load_.begin(estimate, now);
}

Work Replica::work(SteadyTime now) const {
    const auto progress =
        std::max(last_progress_.load(std::memory_order_relaxed), busy_since_.load(std::memory_order_relaxed));
    return {outstanding(), flowing_.load(std::memory_order_relaxed), expecting_.load(std::memory_order_relaxed),
            from_ticks(progress), progress_.still_for(now)};
}

std::optional<Replica::Change> Replica::on_probe(const Probe& probe, SteadyTime now) {
    MutexLock lock(mutex_);
    probed_at_ = stoker::now();
    return publish(health_.on_probe(probe, work(now), now), now);
}

std::optional<Replica::Change> Replica::on_connect_refused(SteadyTime now) {
    MutexLock lock(mutex_);
    refused_.store(1, std::memory_order_relaxed);
    return publish(health_.on_connect_refused(now), now);
}

void Replica::on_connected() {
    if (refused_.load(std::memory_order_relaxed) == 0) return;
    MutexLock lock(mutex_);
    refused_.store(0, std::memory_order_relaxed);
    health_.on_connected();
}

std::optional<Replica::Change> Replica::on_exit_hint(const std::string& reason) {
    const SteadyTime now = std::chrono::steady_clock::now();
    MutexLock lock(mutex_);
    return publish(health_.on_exit_hint(reason, now), now);
}

std::optional<Replica::Change> Replica::on_tick(SteadyTime now) {
    MutexLock lock(mutex_);
    return publish(health_.on_tick(work(now), now), now);
}

std::optional<Replica::Change> Replica::eject(const std::string& reason) {
    MutexLock lock(mutex_);
    return publish(health_.eject(reason), std::chrono::steady_clock::now());
}

std::optional<Replica::Change> Replica::readmit() {
    MutexLock lock(mutex_);
    return publish(health_.readmit(), std::chrono::steady_clock::now());
}

std::optional<Replica::Change> Replica::drain(const std::string& reason) {
    MutexLock lock(mutex_);
    return publish(health_.drain(reason), std::chrono::steady_clock::now());
}

std::optional<Replica::Change> Replica::undrain() {
    MutexLock lock(mutex_);
    return publish(health_.undrain(), std::chrono::steady_clock::now());
}

bool Replica::drained() const {
    MutexLock lock(mutex_);
    return health_.drained();
}

void Replica::note_counters(const EngineLoad& load) {
    MutexLock lock(mutex_);
    progress_.note(load);
}

void Replica::configure(HealthOptions health, BreakerOptions breaker, std::vector<std::string> models) {
    MutexLock lock(mutex_);
    breaker_.set_options(breaker);
    health_.set_options(std::move(health));
    models_ = std::move(models);
    show_state();
}

bool Replica::needs_real_probe() const {
    MutexLock lock(mutex_);
    return health_.needs_real_probe();
}

Duration Replica::probe_delay() const {
    MutexLock lock(mutex_);
    return health_.probe_delay();
}

ReplicaStatus Replica::status() const {
    MutexLock lock(mutex_);
    return status_locked();
}

ReplicaStatus Replica::status_locked() const {
    ReplicaStatus status;
    status.id = id_;
    status.pool = pool_;
    status.url = url_text_;
    status.models = models_;
    status.state = state_locked();
    status.reason = health_.state() == ReplicaState::Serving ? open_reason_ : health_.reason();
    status.since = since_;
    status.outstanding = outstanding();
    status.requests_total = requests_.load(std::memory_order_relaxed);
    status.failures_total = failures_.load(std::memory_order_relaxed);
    if (const auto progress = last_progress_.load(std::memory_order_relaxed); progress != 0) {
        const auto ago = std::chrono::steady_clock::now() - from_ticks(progress);
        status.last_progress = stoker::now() - std::chrono::duration_cast<Duration>(ago);
    }
    status.weight = load_.weight();
    status.failures_in_row = breaker_.failures_in_row();
    status.openings = breaker_.state() == Breaker::State::Closed ? 0 : breaker_.openings();
    if (breaker_.state() == Breaker::State::Open) {
        const auto left = breaker_.open_until() - std::chrono::steady_clock::now();
        status.trial_at = stoker::now() + std::chrono::duration_cast<Duration>(left);
    }
    status.health_ok = health_.last_probe_ok() && probed_at_ != Timestamp{};
    status.health_detail = health_.last_probe_detail();
    status.health_at = probed_at_;
    if (!health_.probed()) {
        status.health_ok = true;
        status.health_detail = "not probed";
    }
    return status;
}

}  // namespace stoker::gateway
