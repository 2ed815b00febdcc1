#include "gateway/upstream/retry_budget.h"

namespace stoker::gateway {
namespace {

std::int64_t second_of(SteadyTime now) {
    return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
}

}  // namespace

void RetryBudget::set(double share, double per_second) {
    share_.store(share, std::memory_order_relaxed);
    per_second_.store(per_second, std::memory_order_relaxed);
}

RetryBudget::Slot& RetryBudget::slot(SteadyTime now) {
    const std::int64_t second = second_of(now);
    Slot& found = slots_[static_cast<std::size_t>(second % kWindowSeconds)];
    std::int64_t before = found.second.load(std::memory_order_relaxed);
    if (before != second && found.second.compare_exchange_strong(before, second, std::memory_order_relaxed)) {
        found.requests.store(0, std::memory_order_relaxed);
        found.retries.store(0, std::memory_order_relaxed);
    }
    return found;
}

void RetryBudget::note_request(SteadyTime now) {
    slot(now).requests.fetch_add(1, std::memory_order_relaxed);
}

RetryBudget::Use RetryBudget::use(SteadyTime now) const {
    Use use;
    const std::int64_t oldest = second_of(now) - kWindowSeconds;
    for (const Slot& each : slots_) {
        if (each.second.load(std::memory_order_relaxed) <= oldest) continue;
        use.requests += each.requests.load(std::memory_order_relaxed);
        use.retries += each.retries.load(std::memory_order_relaxed);
    }
    use.allowed = share_.load(std::memory_order_relaxed) * static_cast<double>(use.requests) +
                  per_second_.load(std::memory_order_relaxed) * kWindowSeconds;
    return use;
}

bool RetryBudget::take(SteadyTime now) {
    const Use before = use(now);
    if (static_cast<double>(before.retries + 1) > before.allowed) return false;
    slot(now).retries.fetch_add(1, std::memory_order_relaxed);
    return true;
}

}  // namespace stoker::gateway
