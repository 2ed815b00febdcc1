// One tenant, key, model, or all together: its limits and what is counted against them. Guarded by the Limiter's lock.
#pragma once

#include <optional>
#include <string>

#include "gateway/limit/limiter.h"

namespace stoker::gateway {

// The meter of a limit of so much a minute, or of a share of it.
MeterRate rate_of(std::int64_t per_minute, Duration burst, double share);

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

    // While limits are shared, the meters and the day above are the shared ones as they were said last, and:
    std::int64_t elsewhere = 0;  // Requests under way through other gateways.
    // While this gateway is alone, they are its part of them, and this is what was shared before:
    struct Seen {
        Meter requests{};
        Meter tokens{};
        std::int64_t day = 0;
        std::int64_t day_used = 0;
        std::int64_t day_part = 0;  // What `day` above began with.
    };
    Seen seen{};

    // `share` of the limits as they are configured, and of their bursts.
    void configure(const LimitSet& set, Duration burst, double share);

    // How much of an estimate is reserved: at most what the limit ever gives at once. A larger request is admitted when
    // nothing else is in use, and what it really used beyond that becomes a debt.
    std::int64_t reservable(std::int64_t tokens) const;

    // The refusal with the longest wait, if the request does not fit. REQUIRES: day is turned.
    std::optional<LimitRefusal> check(std::int64_t estimate, Moment now) const;
    void take(std::int64_t count, Moment now);
    void settle(std::int64_t reserved, std::int64_t used, bool reached_engine, double held_seconds, Moment now);

    std::optional<RateView> request_view(Moment now) const;
    // With `correction` tokens more (or fewer) in use than are now.
    std::optional<RateView> token_view(std::int64_t correction, Moment now) const;
    LimitLine line(LimitKind kind, Moment now) const;
    bool idle(Moment now) const;

    // What a shared count must know of it.
    LimitClaim claim(Duration burst, std::int64_t estimate) const;
    // What the shared count says.
    void observe(const SharedCount& count, Moment now);
    // What the shared count held when it was met last, and what was admitted without it. `share` is as it was since.
    SharedOwn own(Duration burst, double share, Moment now) const;
    // To its part of what is shared, and from it to the whole. REQUIRES: day is turned; configure() follows.
    void begin_alone(Duration burst, double share, Moment now);
    void end_alone(Duration burst, double share, Moment now);
    // Of the whole day, as far as it is known.
    std::int64_t known_day_used() const;
};

}  // namespace stoker::gateway
