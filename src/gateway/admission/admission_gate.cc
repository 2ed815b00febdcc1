#include "gateway/admission/admission_gate.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace stoker::gateway {

std::string_view to_string(AdmissionEnd end) {
    constexpr std::string_view kNames[kAdmissionEnds] = {"admitted", "queue_full", "shed", "timeout", "client_gone"};
    return kNames[static_cast<std::size_t>(end)];
}

void AdmissionGate::configure(const AdmissionOptions& options, Capacity capacity, SteadyTime now) {
    MutexLock lock(mutex_);
    options_ = options;
    capacity_ = std::move(capacity);
    adaptive_.set(
        {static_cast<double>(options.min), static_cast<double>(options.max), std::max(1.0, options.ttft_tolerance)});
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
    if (!at_once && queue_.size() >= options_.queue) {
        const auto shed = queue_.shed_for(who.priority, who.tenant);
        if (!shed) return {AdmissionEnd::Full, 0};
        wakes_.extract(*shed).mapped()(AdmissionEnd::Shed);
    }
    // Whoever finds room goes through the queue too, so that its counters know of it.
    const Ticket ticket = queue_.push(who.priority, who.tenant, who.cost);
    if (at_once) {
        (void)queue_.pop();
        ++running_;
        return {AdmissionEnd::Admitted, 0};
    }
    wakes_.emplace(ticket, std::move(wake));
    wake_next();
    return {AdmissionEnd::Admitted, ticket};
}

bool AdmissionGate::give_up(Ticket ticket) {
    MutexLock lock(mutex_);
    if (!queue_.remove(ticket)) return false;
    wakes_.erase(ticket);
    return true;
}

void AdmissionGate::leave(const Admittee& who, double used, SteadyTime now) {
    MutexLock lock(mutex_);
    if (running_ > 0) --running_;
    drain_.note_end(who.since, now);
    adaptive_.note_end();
    queue_.correct(who.priority, who.tenant, used - who.cost);
    adapt(now);
    wake_next();
}

void AdmissionGate::note_first_token(double seconds, std::int64_t new_tokens) {
    MutexLock lock(mutex_);
    if (options_.mode == ConcurrencyMode::Auto) adaptive_.note_first_token(seconds, new_tokens);
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
        wakes_.extract(*next).mapped()(AdmissionEnd::Admitted);
    }
}

Duration AdmissionGate::expected_wait(Priority priority, SteadyTime now) const {
    constexpr double kShortest = 1;
    constexpr double kLongest = 600;
    MutexLock lock(mutex_);
    const auto rate = drain_.per_second(running_, now);
    if (!rate) return std::max(options_.timeout, Duration{1'000});
    std::size_t ahead = 1;
    for (auto index = static_cast<std::size_t>(priority); index < kPriorityClasses; ++index) {
        ahead += queue_.size(static_cast<Priority>(index));
    }
    const double seconds = std::clamp(static_cast<double>(ahead) / *rate, kShortest, kLongest);
    return std::chrono::ceil<Duration>(std::chrono::duration<double>(seconds));
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
    status.drain_per_second = drain_.per_second(running_, now).value_or(0);
    status.lines = queue_.lines(most_lines);
    return status;
}

}  // namespace stoker::gateway
