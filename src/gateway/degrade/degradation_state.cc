#include "gateway/degrade/degradation_state.h"

#include <algorithm>

namespace stoker::gateway {

bool DegradationTrigger::observe(std::optional<double> value, double threshold, const DegradationTimes& times,
                                 SteadyTime now) {
    const bool high = value && *value >= threshold;
    const bool low = !value || *value < threshold * times.clear_ratio;
    if (closed_ ? !low : !high) {
        since_.reset();
        return closed_;
    }
    if (!since_) since_ = now;
    const Duration wait = closed_ ? times.clear_after * patience_ : times.raise_after;
    if (now - *since_ < wait) return closed_;
    since_.reset();
    closed_ = !closed_;
    if (!closed_) {
        opened_at_ = now;
    } else if (opened_at_) {
        // Soon: within the time that it would have had to stay closed anyway, and that of rising again.
        const bool soon = now - *opened_at_ < times.clear_after * patience_ + 2 * times.raise_after;
        patience_ = soon ? std::min(patience_ * 2, kMostPatience) : 1;
    }
    return closed_;
}

DegradationLevel ConditionState::observe(std::optional<double> value, const DegradationCondition& condition,
                                         const DegradationTimes& times, SteadyTime now) {
    value_ = value;
    level_ = DegradationLevel::Normal;
    for (std::size_t i = 1; i < kDegradationLevels; ++i) {
        if (!condition.thresholds[i]) continue;
        if (triggers_[i].observe(value, *condition.thresholds[i], times, now))
            level_ = static_cast<DegradationLevel>(i);
    }
    return level_;
}

}  // namespace stoker::gateway
