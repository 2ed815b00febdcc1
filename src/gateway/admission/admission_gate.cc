#include "gateway/admission/admission_gate.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace stoker::gateway {

std::string_view to_string(AdmissionEnd end) {
    constexpr std::string_view kNames[kAdmissionEnds] = {"admitted", "queue_full",  "shed",
                                                         "timeout",  "client_gone", "too_long"};
    return kNames[static_cast<std::size_t>(end)];
}

void AdmissionGate::configure(const AdmissionOptions& options, Capacity capacity, SteadyTime now) {
    MutexLock lock(mutex_);
    options_ = options;
    capacity_ = std::move(capacity);
    adaptive_.set(
        {static_cast<double>(options.min), static_cast<double>(options.max), std::max(1.0, options.ttft_tolerance)});
    queue_.set_lower_share(options.lower_share);
    active_.store(options.mode != ConcurrencyMode::Off, std::memory_order_relaxed);
    adapt(now);
    wake_next();
}

Duration AdmissionGate::timeout() const {
    MutexLock lock(mutex_);
    return options_.timeout;
}

// Empty: whoever comes is let through. So it is when no replica serves: they are to hear of that, and not of a queue.
std::optional<std::size_t> AdmissionGate::limit() const {
    if (options_.mode == ConcurrencyMode::Off || !capacity_) return {};
    const double shares = capacity_().shares;
    if (shares <= 0) return {};
    const bool fixed = options_.mode == ConcurrencyMode::Fixed;
    const double each = fixed ? static_cast<double>(options_.limit) : adaptive_.limit();
    return static_cast<std::size_t>(std::max(1.0, std::floor(each * shares)));
}

void AdmissionGate::adapt(SteadyTime now) {
    if (options_.mode != ConcurrencyMode::Auto || !capacity_ || !adaptive_.due(now)) return;
    adaptive_.update(capacity_().queues, now);
}

AdmissionGate::Entry AdmissionGate::enter(const Admittee& who, SteadyTime now, Wake wake) {
    MutexLock lock(mutex_);
    adapt(now);
    const auto most = limit();
    const bool at_once = room(most) && queue_.size() == 0;
    if (most && running_ + 1 >= *most) adaptive_.note_full();
    if (!at_once && hopeless(who, now)) return {AdmissionEnd::TooLong, 0};
    if (!at_once && queue_.size() >= options_.queue) {
        const auto shed = queue_.shed_for(who.priority, who.tenant);
        if (!shed) return {AdmissionEnd::Full, 0};
        waiting_.extract(*shed).mapped().wake(AdmissionEnd::Shed);
    }
    if (!at_once && queue_.size() == 0) drain_.note_waiting(now);
    // Whoever finds room goes through the queue too, so that its counters know of it.
    const Ticket ticket = queue_.push(who.priority, who.tenant, who.cost);
    if (at_once) {
        (void)queue_.pop();
        ++running_;
        return {AdmissionEnd::Admitted, 0};
    }
    waiting_.emplace(ticket, Waiting{std::move(wake), now});
    wake_next();
    return {AdmissionEnd::Admitted, ticket};
}

bool AdmissionGate::give_up(Ticket ticket) {
    MutexLock lock(mutex_);
    if (!queue_.remove(ticket)) return false;
    waiting_.erase(ticket);
    return true;
}

void AdmissionGate::leave(const Admittee& who, double used, SteadyTime now) {
    MutexLock lock(mutex_);
    if (running_ > 0) --running_;
    drain_.note_end(who.since, now);
    adaptive_.note_end();
    queue_.finish(who.priority, who.tenant, used - who.cost);
    adapt(now);
    wake_next();
}

void AdmissionGate::note_first_token(double seconds, std::int64_t new_tokens) {
    MutexLock lock(mutex_);
    if (options_.mode == ConcurrencyMode::Auto) adaptive_.note_first_token(seconds, new_tokens);
}

void AdmissionGate::note_whole_answer(double seconds, std::int64_t new_tokens, std::int64_t output_tokens) {
    MutexLock lock(mutex_);
    if (options_.mode == ConcurrencyMode::Auto) adaptive_.note_whole_answer(seconds, new_tokens, output_tokens);
}

void AdmissionGate::refresh(SteadyTime now) {
    MutexLock lock(mutex_);
    adapt(now);
    wake_next();
}

void AdmissionGate::wake_next() {
    const auto most = limit();
    while (room(most)) {
        const auto next = queue_.pop();
        if (!next) return;
        ++running_;
        waiting_.extract(*next).mapped().wake(AdmissionEnd::Admitted);
    }
}

bool AdmissionGate::hopeless(const Admittee& who, SteadyTime now) const {
    const auto rate = drain_rate(now);
    if (!rate) return false;
    const auto within = std::min(options_.timeout, std::chrono::ceil<Duration>(who.until - now));
    return drain_.too_many(queue_.ahead(who.priority, who.tenant) + 1, *rate, within);
}

AdmissionAdvice AdmissionGate::advice(const Admittee& who, SteadyTime now) const {
    constexpr double kShortest = 1;
    constexpr double kLongest = 600;
    MutexLock lock(mutex_);
    AdmissionAdvice advice;
    advice.over_share = queue_.over_share(who.priority, who.tenant);
    const auto rate = drain_rate(now);
    if (!rate) {
        advice.retry_after = std::max(options_.timeout, Duration{1'000});
        return advice;
    }
    const double places = queue_.ahead(who.priority, who.tenant) + 1;
    const double seconds = std::clamp(places / *rate, kShortest, kLongest);
    advice.retry_after = std::chrono::ceil<Duration>(std::chrono::duration<double>(seconds));
    return advice;
}

AdmissionStatus AdmissionGate::status(std::size_t most_lines, SteadyTime now) const {
    MutexLock lock(mutex_);
    AdmissionStatus status;
    status.mode = options_.mode;
    status.limit = limit();
    status.per_replica =
        options_.mode == ConcurrencyMode::Auto ? adaptive_.limit() : static_cast<double>(options_.limit);
    status.sign = adaptive_.sign();
    status.ttft_ratio = adaptive_.ratio();
    status.running = running_;
    status.queue = options_.queue;
    for (std::size_t i = 0; i < kPriorityClasses; ++i) status.waiting[i] = queue_.size(static_cast<Priority>(i));
    if (!waiting_.empty()) {
        status.oldest_wait = std::chrono::floor<Duration>(now - waiting_.begin()->second.since);
    }
    status.drain_per_second = drain_rate(now).value_or(0);
    status.lines = queue_.lines(most_lines);
    return status;
}

}  // namespace stoker::gateway
