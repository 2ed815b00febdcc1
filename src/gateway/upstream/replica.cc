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

Replica::Replica(std::string id, std::string pool, net::Url url, std::string url_text, HealthOptions health)
    : id_(std::move(id)),
      pool_(std::move(pool)),
      url_(std::move(url)),
      url_text_(std::move(url_text)),
      health_(std::move(health)),
      since_(now()) {}

bool Replica::resting(SteadyTime now) const {
    return ticks(now) < rest_until_.load(std::memory_order_relaxed);
}

void Replica::rest_until(SteadyTime until) {
    rest_until_.store(ticks(until), std::memory_order_relaxed);
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

void Replica::end(bool failed, const LoadTicket& ticket) {
    if (failed) failures_.fetch_add(1, std::memory_order_relaxed);
    load_.end(ticket);
}

Work Replica::work() const {
    const auto progress =
        std::max(last_progress_.load(std::memory_order_relaxed), busy_since_.load(std::memory_order_relaxed));
    return {outstanding(), flowing_.load(std::memory_order_relaxed), expecting_.load(std::memory_order_relaxed),
            from_ticks(progress)};
}

std::optional<Replica::Change> Replica::publish(std::optional<Transition> transition) {
    state_.store(health_.state(), std::memory_order_relaxed);
    if (!transition) return {};
    since_ = stoker::now();
    Change change;
    change.cut_requests = transition->cut_requests;
    change.event = {transition->kind, id_, since_, std::move(transition->reason), std::move(transition->evidence),
                    status_locked()};
    return change;
}

std::optional<Replica::Change> Replica::on_probe(const Probe& probe, SteadyTime now) {
    MutexLock lock(mutex_);
    probed_at_ = stoker::now();
    return publish(health_.on_probe(probe, work(), now));
}

std::optional<Replica::Change> Replica::on_connect_refused(SteadyTime now) {
    MutexLock lock(mutex_);
    refused_.store(1, std::memory_order_relaxed);
    return publish(health_.on_connect_refused(now));
}

void Replica::on_connected() {
    if (refused_.load(std::memory_order_relaxed) == 0) return;
    MutexLock lock(mutex_);
    refused_.store(0, std::memory_order_relaxed);
    health_.on_connected();
}

std::optional<Replica::Change> Replica::on_exit_hint(const std::string& reason) {
    MutexLock lock(mutex_);
    return publish(health_.on_exit_hint(reason));
}

std::optional<Replica::Change> Replica::on_tick(SteadyTime now) {
    MutexLock lock(mutex_);
    return publish(health_.on_tick(work(), now));
}

std::optional<Replica::Change> Replica::eject(const std::string& reason) {
    MutexLock lock(mutex_);
    return publish(health_.eject(reason));
}

std::optional<Replica::Change> Replica::readmit() {
    MutexLock lock(mutex_);
    return publish(health_.readmit());
}

void Replica::drain() {
    MutexLock lock(mutex_);
    health_.drain();
    since_ = stoker::now();
    publish({});
}

void Replica::configure(HealthOptions health, std::vector<std::string> models) {
    MutexLock lock(mutex_);
    health_.set_options(std::move(health));
    models_ = std::move(models);
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
    status.state = health_.state();
    status.reason = health_.reason();
    status.since = since_;
    status.outstanding = outstanding();
    status.requests_total = requests_.load(std::memory_order_relaxed);
    status.failures_total = failures_.load(std::memory_order_relaxed);
    if (const auto progress = last_progress_.load(std::memory_order_relaxed); progress != 0) {
        const auto ago = std::chrono::steady_clock::now() - from_ticks(progress);
        status.last_progress = stoker::now() - std::chrono::duration_cast<Duration>(ago);
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

Turn::Turn(Replica& replica, bool stream, SteadyTime now, const LoadEstimate& estimate)
    : replica_(replica), ticket_(replica.begin(now, estimate)) {
    if (stream) move_to(Phase::Expecting);
}

Turn::~Turn() {
    move_to(Phase::Whole);
    replica_.end(failed_, ticket_);
}

void Turn::move_to(Phase phase) {
    if (phase == phase_) return;
    if (phase_ == Phase::Expecting) replica_.add_expecting(-1);
    if (phase_ == Phase::Flowing) replica_.add_flowing(-1);
    if (phase == Phase::Expecting) replica_.add_expecting(1);
    if (phase == Phase::Flowing) replica_.add_flowing(1);
    phase_ = phase;
}

void Turn::pause() {
    if (phase_ == Phase::Flowing) move_to(Phase::Paused);
}

void Turn::resume(SteadyTime now) {
    if (phase_ != Phase::Paused) return;
    replica_.note_progress(now);
    move_to(Phase::Flowing);
}

}  // namespace stoker::gateway
