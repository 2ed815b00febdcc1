// A subject's way between a shared count and this gateway's own part of it.
//
// Alone, a gateway goes on from its share of what the shared count held: N gateways that saw the same count admit
// together what was left of it, and no more. Back again, it tells what the count held when it was met last (for a count
// that was lost: the highest of what all tell is taken) and what it admitted alone since (which is added).
#include <algorithm>
#include <cmath>

#include "gateway/limit/limit_subject.h"

namespace stoker::gateway {

void LimitSubject::observe(const SharedCount& count, Moment now) {
    if (limits.requests_per_minute > 0) requests.set(count.requests, now.steady);
    if (limits.tokens_per_minute > 0) tokens.set(count.tokens, now.steady);
    elsewhere = std::max(std::int64_t{0}, count.concurrent - concurrent);
    day.set(count.day, count.day_used, count.day_reserved);
}

SharedOwn LimitSubject::own(Duration burst, double share, Moment now) const {
    SharedOwn made{.claim = claim(burst, 0), .seen = {}, .alone = {}};
    const std::int64_t today = day.day();
    made.seen.day = made.alone.day = today;
    if (limits.requests_per_minute > 0) {
        made.seen.requests = seen.requests.level(now.steady, made.claim.request_rate);
        made.alone.requests = std::max(0.0, requests.level(now.steady, request_rate) - share * made.seen.requests);
    }
    if (limits.tokens_per_minute > 0) {
        made.seen.tokens = seen.tokens.level(now.steady, made.claim.token_rate);
        made.alone.tokens = std::max(0.0, tokens.level(now.steady, token_rate) - share * made.seen.tokens);
    }
    const bool same_day = seen.day == today;
    made.seen.day_used = same_day ? seen.day_used : 0;
    made.alone.day_used = std::max(std::int64_t{0}, day.used() - (same_day ? seen.day_part : 0));
    made.alone.day_reserved = tokens_reserved;
    made.alone.concurrent = concurrent;
    return made;
}

LimitClaim LimitSubject::claim(Duration burst, std::int64_t estimate) const {
    LimitClaim made{.scope = scope, .name = name};
    if (limits.requests_per_minute > 0) made.request_rate = rate_of(limits.requests_per_minute, burst, 1);
    if (limits.tokens_per_minute > 0) made.token_rate = rate_of(limits.tokens_per_minute, burst, 1);
    made.most_concurrent = limits.concurrent_requests;
    made.most_a_day = limits.tokens_per_day;
    made.tokens = estimate;
    return made;
}

void LimitSubject::begin_alone(Duration burst, double share, Moment now) {
    const LimitClaim whole = claim(burst, 0);
    const double held_requests = requests.level(now.steady, whole.request_rate);
    const double held_tokens = tokens.level(now.steady, whole.token_rate);
    seen.requests.set(held_requests, now.steady);
    seen.tokens.set(held_tokens, now.steady);
    requests.set(held_requests * share, now.steady);
    tokens.set(held_tokens * share, now.steady);
    seen.day = day.day();
    seen.day_used = day.used();
    seen.day_part = static_cast<std::int64_t>(std::ceil(static_cast<double>(day.used()) * share - 1e-6));
    day.set(seen.day, seen.day_part, tokens_reserved);
    elsewhere = 0;
}

void LimitSubject::end_alone(Duration burst, double share, Moment now) {
    const SharedOwn told = own(burst, share, now);
    requests.set(told.seen.requests + told.alone.requests, now.steady);
    tokens.set(told.seen.tokens + told.alone.tokens, now.steady);
    day.set(day.day(), told.seen.day_used + told.alone.day_used, tokens_reserved);
    elsewhere = 0;
}

std::int64_t LimitSubject::known_day_used() const {
    return day.used() + (seen.day == day.day() ? seen.day_used - seen.day_part : 0);
}

}  // namespace stoker::gateway
