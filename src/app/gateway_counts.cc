#include "app/gateway_counts.h"

namespace stoker::app {

std::optional<collect::GatewayCount> GatewayCounts::of(std::string_view replica, SteadyTime now) {
    constexpr std::chrono::seconds kAge{1};
    MutexLock lock(mutex_);
    if (!taken_ || now - *taken_ >= kAge) {
        counts_.clear();
        for (const auto& status : statuses_()) {
            const std::int64_t answered = status.requests_total - status.outstanding - status.failures_total;
            counts_[status.id] = {static_cast<double>(status.outstanding), static_cast<double>(answered)};
        }
        taken_ = now;
    }
    const auto found = counts_.find(replica);
    return found == counts_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace stoker::app
