// One tenant, key, model, or all together: its limits and what is counted against them. Guarded by the Limiter's lock.
#pragma once

#include <optional>
#include <string>

#include "gateway/limit/limiter.h"

namespace stoker::gateway {

struct LimitSubject {
    LimitScope scope{};
    std::string name{};
    LimitSet limits{};  // As configured.
    MeterRate request_rate{};
    MeterRate token_rate{};
    std::int64_t most_concurrent = 0;
    std::int64_t most_a_day = 0;

    Meter requests{};
    Meter tokens{};
    DayCount day{};
    std::int64_t concurrent = 0;
    std::int64_t tokens_reserved = 0;
    double mean_hold = 1;  // Seconds that a request takes, moving average.
    bool day_changed = false;

    // `share` of the limits as they are configured, and of their bursts.
    void configure(const LimitSet& set, Duration burst, double share);

    // How much of an estimate is reserved: at most what the limit ever gives at once. A larger request is admitted when
    // nothing else is in use, and what it really used beyond that becomes a debt.
    std::int64_t reservable(std::int64_t tokens) const;

    // The refusal with the longest wait, if the request does not fit. REQUIRES: day is turned.
    std::optional<LimitRefusal> check(std::int64_t estimate, Moment now) const;
    void take(std::int64_t count, bool capped, Moment now);
    void settle(std::int64_t reserved, std::int64_t used, bool reached_engine, double held_seconds, Moment now);

    std::optional<RateView> request_view(Moment now) const;
    // With `correction` tokens more (or fewer) in use than are now.
    std::optional<RateView> token_view(std::int64_t correction, Moment now) const;
    LimitLine line(LimitKind kind, Moment now) const;
    bool idle(Moment now) const;
};

}  // namespace stoker::gateway
