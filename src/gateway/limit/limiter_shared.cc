// The limiter beside a shared count.
#include <algorithm>
#include <utility>

#include "gateway/limit/limit_subject.h"
#include "gateway/limit/limiter.h"

namespace stoker::gateway {

void Limiter::set_clock(Duration ahead) {
    clock_ahead_.store(ahead.count(), std::memory_order_relaxed);
}

// Everything as if it had never been divided.
void Limiter::give_up_share(Moment now) {
    for (auto& subjects : subjects_) {
        for (auto& [name, subject] : subjects) {
            subject->day.turn_to(day_of(now.wall));
            subject->end_alone(options_.burst, share_, now);
            subject->configure(subject->limits, options_.burst, 1);
        }
    }
    share_ = 1;
}

std::vector<SharedOwn> Limiter::share(Moment now) {
    now = by_clock(now);
    std::vector<SharedOwn> told;
    MutexLock lock(mutex_);
    if (sharing_) return told;
    for (auto& subjects : subjects_) {
        for (auto& [name, subject] : subjects) {
            subject->day.turn_to(day_of(now.wall));
            if (subject->limits.any()) told.push_back(subject->own(options_.burst, share_, now));
        }
    }
    std::erase_if(told, [](const SharedOwn& own) {
        return own.seen.requests + own.seen.tokens + own.alone.requests + own.alone.tokens <= 0 &&
               own.seen.day_used + own.alone.day_used + own.alone.day_reserved + own.alone.concurrent == 0;
    });
    give_up_share(now);
    sharing_ = true;
    ++epoch_;
    return told;
}

void Limiter::go_alone(double share, Moment now) {
    now = by_clock(now);
    MutexLock lock(mutex_);
    if (!std::exchange(sharing_, false)) give_up_share(now);
    share_ = share;
    for (auto& subjects : subjects_) {
        for (auto& [name, subject] : subjects) {
            subject->day.turn_to(day_of(now.wall));
            subject->begin_alone(options_.burst, share, now);
            subject->configure(subject->limits, options_.burst, share);
        }
    }
}

std::vector<LimitClaim> Limiter::claims(const LimitAsk& ask) {
    std::vector<LimitClaim> made;
    MutexLock lock(mutex_);
    const auto add = [&](LimitScope scope, std::string_view name) REQUIRES_LOCK(mutex_) {
        const LimitSet& limits = options_.of(scope, name);
        if (!limits.any()) return;
        LimitSubject whole;
        whole.scope = scope;
        whole.name = name;
        whole.configure(limits, options_.burst, 1);
        made.push_back(whole.claim(options_.burst, whole.reservable(ask.tokens)));
    };
    add(LimitScope::Global, "");
    if (!ask.tenant.empty()) add(LimitScope::Tenant, ask.tenant);
    if (!ask.key.empty()) add(LimitScope::Key, ask.key);
    if (!ask.model.empty()) add(LimitScope::Model, ask.model);
    return made;
}

LimitVerdict Limiter::decided(const LimitAsk& ask, const std::vector<LimitClaim>& claims,
                              const std::vector<SharedCount>& counts, bool admitted, Moment now) {
    LimitVerdict verdict;
    now = by_clock(now);
    MutexLock lock(mutex_);
    LimitReservation reservation = find_all(ask, now);
    reservation.shared = true;
    if (admitted) take(reservation, now);
    for (std::size_t i = 0; i < reservation.count; ++i) {
        LimitSubject& subject = *reservation.shares[i].subject;
        for (std::size_t k = 0; sharing_ && k < std::min(claims.size(), counts.size()); ++k) {
            if (claims[k].scope == subject.scope && claims[k].name == subject.name) subject.observe(counts[k], now);
        }
        if (admitted) continue;
        auto refusal = subject.check(ask.tokens, now);
        if (!refusal || (verdict.refusal && verdict.refusal->retry_after >= refusal->retry_after)) continue;
        verdict.refusal = std::move(refusal);
    }
    if (!admitted && !verdict.refusal) {
        // Time has passed since the shared count looked: it would fit by now.
        constexpr Duration kSoon{1};
        const LimitClaim& claim = claims.front();
        verdict.refusal = LimitRefusal{.scope = claim.scope, .name = claim.name, .asked = 1, .retry_after = kSoon};
    }
    if (verdict.refusal) remember(ask, *verdict.refusal, now);
    verdict.views = views_locked(reservation, {}, now);
    if (admitted) verdict.reservation = reservation;
    return verdict;
}

}  // namespace stoker::gateway
