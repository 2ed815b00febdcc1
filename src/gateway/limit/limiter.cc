#include "gateway/limit/limiter.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "gateway/limit/limit_subject.h"

namespace stoker::gateway {
namespace {

// Tenants and keys come from outside: past so many of a kind, those that nothing is counted of are forgotten, and if
// there are none, the rest share one count.
constexpr std::size_t kMostSubjects = 20'000;
constexpr std::string_view kOthers = "(others)";
constexpr std::chrono::seconds kBetweenSweeps{1};
constexpr std::size_t kMostRefusals = 256;
constexpr LimitKind kKinds[] = {LimitKind::Requests, LimitKind::Tokens, LimitKind::Concurrent, LimitKind::DayTokens};

void keep_tighter(std::optional<RateView>& tightest, const std::optional<RateView>& view) {
    if (view && (!tightest || view->remaining < tightest->remaining)) tightest = view;
}

}  // namespace

Moment Moment::now() {
    return {.steady = std::chrono::steady_clock::now(), .wall = stoker::now()};
}

Moment Limiter::by_clock(Moment now) const {
    now.wall += Duration{clock_ahead_.load(std::memory_order_relaxed)};
    return now;
}

Limiter::Limiter() = default;
Limiter::~Limiter() = default;

void Limiter::set(LimitsOptions options) {
    MutexLock lock(mutex_);
    options_ = std::move(options);
    for (auto& subjects : subjects_) {
        for (auto& [name, subject] : subjects) {
            subject->configure(options_.of(subject->scope, name), options_.burst, share_);
        }
    }
    active_ = options_.any();
}

void Limiter::make_room(Subjects& subjects, Moment now) {
    if (now.steady - swept_at_ < kBetweenSweeps) return;
    swept_at_ = now.steady;
    std::erase_if(subjects, [now](const auto& entry) { return entry.second->idle(now); });
}

LimitSubject* Limiter::find(LimitScope scope, std::string_view name, Moment now) {
    auto& subjects = subjects_[static_cast<std::size_t>(scope)];
    auto found = subjects.find(name);
    if (found == subjects.end()) {
        const LimitSet& limits = options_.of(scope, name);
        if (!limits.any()) return nullptr;
        if (subjects.size() >= kMostSubjects) make_room(subjects, now);
        if (subjects.size() >= kMostSubjects && name != kOthers) return find(scope, kOthers, now);
        auto subject = std::make_unique<LimitSubject>();
        subject->scope = scope;
        subject->name = name;
        subject->configure(limits, options_.burst, share_);
        found = subjects.emplace(std::string(name), std::move(subject)).first;
    }
    LimitSubject& subject = *found->second;
    if (!subject.limits.any()) return nullptr;
    subject.day.turn_to(day_of(now.wall));
    return &subject;
}

LimitReservation Limiter::find_all(const LimitAsk& ask, Moment now) {
    LimitReservation reservation;
    reservation.at = now.steady;
    reservation.tokens = ask.tokens;
    reservation.epoch = epoch_;
    const auto add = [&](LimitScope scope, std::string_view name) REQUIRES_LOCK(mutex_) {
        LimitSubject* subject = find(scope, name, now);
        if (subject == nullptr) return;
        reservation.shares[reservation.count++] = {subject, subject->reservable(ask.tokens)};
    };
    add(LimitScope::Global, "");
    if (!ask.tenant.empty()) add(LimitScope::Tenant, ask.tenant);
    if (!ask.key.empty()) add(LimitScope::Key, ask.key);
    if (!ask.model.empty()) add(LimitScope::Model, ask.model);
    return reservation;
}

void Limiter::take(LimitReservation& reservation, Moment now) {
    for (std::size_t i = 0; i < reservation.count; ++i) {
        reservation.shares[i].subject->take(reservation.shares[i].tokens, now);
    }
}

LimitVerdict Limiter::reserve(const LimitAsk& ask, Moment now) {
    LimitVerdict verdict;
    now = by_clock(now);
    MutexLock lock(mutex_);
    LimitReservation reservation = find_all(ask, now);
    for (std::size_t i = 0; i < reservation.count; ++i) {
        auto refusal = reservation.shares[i].subject->check(ask.tokens, now);
        if (!refusal) continue;
        if (!verdict.refusal || refusal->retry_after > verdict.refusal->retry_after) {
            verdict.refusal = std::move(refusal);
        }
    }
    if (verdict.refusal) {
        remember(ask, *verdict.refusal, now);
    } else {
        take(reservation, now);
    }
    verdict.views = views_locked(reservation, {}, now);
    if (!verdict.refusal) verdict.reservation = reservation;
    return verdict;
}

std::vector<SharedChange> Limiter::settle(const LimitReservation& reservation, std::int64_t used, bool reached_engine,
                                          Moment now) {
    std::vector<SharedChange> changes;
    if (!reservation.any()) return changes;
    now = by_clock(now);
    const double held = std::chrono::duration<double>(now.steady - reservation.at).count();
    MutexLock lock(mutex_);
    // What was reserved after the shared count was told of everything, and not by it, it does not know of.
    const bool known = reservation.shared || reservation.epoch < epoch_;
    for (std::size_t i = 0; i < reservation.count; ++i) {
        const auto& [subject, tokens] = reservation.shares[i];
        subject->day.turn_to(day_of(now.wall));
        subject->settle(tokens, used, reached_engine, held, now);
        if (!sharing_) continue;
        SharedChange change{.claim = subject->claim(options_.burst, 0), .used = used};
        if (known) {
            change.requests = reached_engine ? 0 : -1;
            change.tokens = used - tokens;
            change.reserved = -tokens;
            change.concurrent = -1;
        } else {
            change.requests = reached_engine ? 1 : 0;
            change.tokens = used;
        }
        changes.push_back(std::move(change));
    }
    return changes;
}

RateViews Limiter::views_locked(const LimitReservation& reservation, std::optional<std::int64_t> used, Moment now) {
    RateViews views;
    for (std::size_t i = 0; i < reservation.count; ++i) {
        const auto& share = reservation.shares[i];
        keep_tighter(views.requests, share.subject->request_view(now));
        keep_tighter(views.tokens, share.subject->token_view(used ? *used - share.tokens : 0, now));
    }
    return views;
}

RateViews Limiter::views(const LimitReservation& reservation, std::optional<std::int64_t> used, Moment now) {
    MutexLock lock(mutex_);
    return views_locked(reservation, used, by_clock(now));
}

void Limiter::remember(const LimitAsk& ask, const LimitRefusal& refusal, Moment now) {
    if (refused_.size() >= kMostRefusals) refused_.pop_front();
    refused_.push_back({.at = now.wall,
                        .request_id = std::string(ask.request_id),
                        .tenant = std::string(ask.tenant),
                        .key = std::string(ask.key),
                        .model = std::string(ask.model),
                        .refusal = refusal});
}

LimitsReport Limiter::report(Moment now) {
    LimitsReport report;
    now = by_clock(now);
    MutexLock lock(mutex_);
    report.share = share_;
    for (auto& subjects : subjects_) {
        for (auto& [name, subject] : subjects) {
            subject->day.turn_to(day_of(now.wall));
            for (const LimitKind kind : kKinds) {
                if (subject->limits.of(kind) <= 0) continue;
                report.lines.push_back(subject->line(kind, now));
                report.lines.back().named = options_.names(subject->scope, name);
            }
        }
    }
    std::sort(report.lines.begin(), report.lines.end(), [](const LimitLine& a, const LimitLine& b) {
        return std::tie(a.scope, a.name, a.kind) < std::tie(b.scope, b.name, b.kind);
    });
    report.refused.assign(refused_.rbegin(), refused_.rend());
    return report;
}

std::vector<DayUse> Limiter::take_changed_days(Moment now) {
    std::vector<DayUse> days;
    now = by_clock(now);
    MutexLock lock(mutex_);
    for (auto& subjects : subjects_) {
        for (auto& [name, subject] : subjects) {
            if (!std::exchange(subject->day_changed, false) || subject->most_a_day == 0) continue;
            subject->day.turn_to(day_of(now.wall));
            days.push_back({subject->scope, name, subject->day.day(), subject->known_day_used()});
        }
    }
    return days;
}

void Limiter::restore(const std::vector<DayUse>& days, Moment now) {
    MutexLock lock(mutex_);
    for (const DayUse& use : days) {
        if (use.day != day_of(now.wall)) continue;
        LimitSubject* subject = find(use.scope, use.name, now);
        if (subject == nullptr) continue;
        subject->day.restore(use.used);
        // Told to a shared count as what it should hold already, not as something new.
        subject->seen.day = use.day;
        subject->seen.day_used = subject->seen.day_part = subject->day.used();
    }
}

}  // namespace stoker::gateway
