#include "gateway/limit/limit_subject.h"

#include <algorithm>
#include <cmath>

namespace stoker::gateway {
namespace {

// A share of a limit is never nothing: a gateway that is cut off from the others must not stop.
std::int64_t share_of(std::int64_t limit, double share) {
    if (limit <= 0) return 0;
    return std::max(std::int64_t{1}, static_cast<std::int64_t>(std::floor(static_cast<double>(limit) * share + 1e-9)));
}

std::int64_t whole(double value) {
    return static_cast<std::int64_t>(std::ceil(value - 1e-6));
}

constexpr Duration kShortestHold{100};
constexpr Duration kLongestHold{60'000};

}  // namespace

MeterRate rate_of(std::int64_t per_minute, Duration burst, double share) {
    const double units = static_cast<double>(per_minute) * share;
    const double capacity = units * std::chrono::duration<double>(burst).count() / 60;
    return {.per_second = units / 60, .capacity = std::max(1.0, capacity)};
}

void LimitSubject::configure(const LimitSet& set, Duration burst, double share) {
    limits = set;
    request_rate = rate_of(set.requests_per_minute, burst, share);
    token_rate = rate_of(set.tokens_per_minute, burst, share);
    most_concurrent = share_of(set.concurrent_requests, share);
    most_a_day = share_of(set.tokens_per_day, share);
}

std::int64_t LimitSubject::reservable(std::int64_t tokens_asked) const {
    std::int64_t most = tokens_asked;
    if (limits.tokens_per_minute > 0) most = std::min(most, static_cast<std::int64_t>(token_rate.capacity));
    if (most_a_day > 0) most = std::min(most, most_a_day);
    return most;
}

std::optional<LimitRefusal> LimitSubject::check(std::int64_t estimate, Moment now) const {
    std::optional<LimitRefusal> worst;
    const auto refuse = [&](LimitKind kind, std::int64_t asked, Duration wait) {
        if (wait <= Duration{0} || (worst && worst->retry_after >= wait)) return;
        const LimitLine now_line = line(kind, now);
        worst = LimitRefusal{.scope = scope,
                             .kind = kind,
                             .name = name,
                             .limit = now_line.limit,
                             .used = now_line.used,
                             .reserved = now_line.reserved,
                             .asked = asked,
                             .retry_after = wait};
    };
    const std::int64_t asked = reservable(estimate);
    if (limits.requests_per_minute > 0) {
        refuse(LimitKind::Requests, 1, requests.wait_for(1, now.steady, request_rate));
    }
    if (limits.tokens_per_minute > 0) {
        refuse(LimitKind::Tokens, asked, tokens.wait_for(static_cast<double>(asked), now.steady, token_rate));
    }
    if (most_concurrent > 0 && concurrent + elsewhere >= most_concurrent) {
        // Nobody knows when the next one ends; on average one of so many does after this long.
        const Duration hold{static_cast<std::int64_t>(mean_hold * 1000 / static_cast<double>(most_concurrent))};
        refuse(LimitKind::Concurrent, 1, std::clamp(hold, kShortestHold, kLongestHold));
    }
    if (most_a_day > 0 && day.used() + day.reserved() + asked > most_a_day) {
        refuse(LimitKind::DayTokens, asked, until_tomorrow(now.wall));
    }
    return worst;
}

void LimitSubject::take(std::int64_t count, Moment now) {
    if (limits.requests_per_minute > 0) requests.add(1, now.steady, request_rate);
    if (limits.tokens_per_minute > 0) tokens.add(static_cast<double>(count), now.steady, token_rate);
    ++concurrent;
    tokens_reserved += count;
    day.reserve(count);
}

void LimitSubject::settle(std::int64_t reserved, std::int64_t used, bool reached_engine, double held_seconds,
                          Moment now) {
    constexpr double kWeight = 0.1;
    concurrent = std::max(std::int64_t{0}, concurrent - 1);
    tokens_reserved = std::max(std::int64_t{0}, tokens_reserved - reserved);
    mean_hold += kWeight * (held_seconds - mean_hold);
    if (!reached_engine && limits.requests_per_minute > 0) requests.add(-1, now.steady, request_rate);
    if (limits.tokens_per_minute > 0) tokens.add(static_cast<double>(used - reserved), now.steady, token_rate);
    day.settle(reserved, used);
    if (used != 0) day_changed = true;
}

std::optional<RateView> LimitSubject::request_view(Moment now) const {
    if (limits.requests_per_minute <= 0) return {};
    return RateView{.limit = limits.requests_per_minute,
                    .remaining = requests.room(now.steady, request_rate),
                    .reset = requests.until_empty(now.steady, request_rate)};
}

std::optional<RateView> LimitSubject::token_view(std::int64_t correction, Moment now) const {
    std::optional<RateView> tightest;
    if (limits.tokens_per_minute > 0) {
        Meter corrected = tokens;
        corrected.add(static_cast<double>(correction), now.steady, token_rate);
        tightest = RateView{.limit = limits.tokens_per_minute,
                            .remaining = corrected.room(now.steady, token_rate),
                            .reset = corrected.until_empty(now.steady, token_rate)};
    }
    if (most_a_day > 0) {
        const std::int64_t left = std::max(std::int64_t{0}, most_a_day - day.used() - day.reserved() - correction);
        if (!tightest || left < tightest->remaining) {
            tightest = RateView{.limit = most_a_day, .remaining = left, .reset = until_tomorrow(now.wall)};
        }
    }
    return tightest;
}

LimitLine LimitSubject::line(LimitKind kind, Moment now) const {
    LimitLine made{.scope = scope, .name = name, .kind = kind, .limit = limits.of(kind)};
    switch (kind) {
        case LimitKind::Requests:
            made.used = whole(requests.level(now.steady, request_rate));
            made.remaining = requests.room(now.steady, request_rate);
            made.reset = requests.until_empty(now.steady, request_rate);
            break;
        case LimitKind::Tokens: {
            // The meter holds both; what requests under way have reserved may have drained in part already.
            const std::int64_t level = whole(tokens.level(now.steady, token_rate));
            made.reserved = std::min(tokens_reserved, level);
            made.used = level - made.reserved;
            made.remaining = tokens.room(now.steady, token_rate);
            made.reset = tokens.until_empty(now.steady, token_rate);
            break;
        }
        case LimitKind::Concurrent:
            made.limit = most_concurrent;
            made.used = concurrent + elsewhere;
            made.remaining = std::max(std::int64_t{0}, most_concurrent - made.used);
            break;
        case LimitKind::DayTokens:
            made.limit = most_a_day;
            made.used = day.used();
            made.reserved = day.reserved();
            made.remaining = std::max(std::int64_t{0}, most_a_day - made.used - made.reserved);
            made.reset = until_tomorrow(now.wall);
            break;
    }
    return made;
}

bool LimitSubject::idle(Moment now) const {
    return concurrent == 0 && !day_changed && (day.used() == 0 || most_a_day == 0 || day.day() < day_of(now.wall)) &&
           requests.level(now.steady, request_rate) <= 0 && tokens.level(now.steady, token_rate) <= 0;
}

}  // namespace stoker::gateway
