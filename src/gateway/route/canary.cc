#include "gateway/route/canary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace stoker::gateway {
namespace {

constexpr CanaryPhase kPhases[] = {CanaryPhase::Observing, CanaryPhase::Paused, CanaryPhase::Promoted,
                                   CanaryPhase::RolledBack};
constexpr double kQuantile = 0.95;

// How many standard deviations out only `tail` of a normal distribution lies. By bisection: it is wanted rarely.
double deviations(double tail) {
    double low = 0;
    double high = 40;
    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        (std::erfc(middle / std::numbers::sqrt2) / 2 > tail ? low : high) = middle;
    }
    return low;
}

struct Share {
    double value;
    double variance;
};

Share smoothed(std::int64_t failed, std::int64_t requests) {
    const double n = static_cast<double>(requests) + 2;
    const double p = (static_cast<double>(failed) + 1) / n;
    return {p, p * (1 - p) / n};
}

double percent(std::int64_t failed, std::int64_t requests) {
    return requests == 0 ? 0 : 100.0 * static_cast<double>(failed) / static_cast<double>(requests);
}

struct Bounds {
    double low;
    double middle;
    double high;
};

Bounds quantile_bounds(const TimeBuckets& times, double z) {
    const auto n = static_cast<double>(times.count());
    const double spread = z * std::sqrt(kQuantile * (1 - kQuantile) / n);
    return {times.quantile(kQuantile - spread), times.quantile(kQuantile), times.quantile(kQuantile + spread)};
}

// Empty: not slower than it may be. Worse or Unclear otherwise.
std::optional<Judgement> judge_times(const char* what, const CanaryOptions& options, const TimeBuckets& control,
                                     const TimeBuckets& candidate, double z) {
    if (control.count() < options.min_requests || candidate.count() < options.min_requests) return {};
    const Bounds old = quantile_bounds(control, z);
    const Bounds fresh = quantile_bounds(candidate, z);
    if (fresh.middle <= options.max_latency_ratio * old.middle) return {};
    const bool certain = fresh.low > options.max_latency_ratio * old.high;
    return Judgement{certain ? Finding::Worse : Finding::Unclear,
                     fmt::format("{} p95 {:.3g} s against {:.3g} s, allowed is {:.3g} times as long", what,
                                 fresh.middle, old.middle, options.max_latency_ratio)};
}

}  // namespace

std::string_view to_string(CanaryPhase phase) {
    switch (phase) {
        case CanaryPhase::Observing:
            return "observing";
        case CanaryPhase::Paused:
            return "paused";
        case CanaryPhase::Promoted:
            return "promoted";
        case CanaryPhase::RolledBack:
            return "rolled_back";
    }
    return "unknown";
}

std::optional<CanaryPhase> parse_canary_phase(std::string_view text) {
    for (const CanaryPhase phase : kPhases) {
        if (to_string(phase) == text) return phase;
    }
    return {};
}

ArmView view(const CanarySample& sample) {
    return {.good = sample.good.load(std::memory_order_relaxed),
            .failed = sample.failed.load(std::memory_order_relaxed),
            .first_token_p95 = sample.first_token.quantile(kQuantile),
            .duration_p95 = sample.duration.quantile(kQuantile)};
}

Judgement judge(const CanaryOptions& options, const CanarySample& control, const CanarySample& candidate,
                double alarm) {
    const ArmView old = view(control);
    const ArmView fresh = view(candidate);
    if (old.requests() < options.min_requests || fresh.requests() < options.min_requests) {
        return {Finding::TooFew, fmt::format("{} requests of the candidate and {} of the control, {} each are wanted",
                                             fresh.requests(), old.requests(), options.min_requests)};
    }
    // Errors and two kinds of times are looked at: each may take a third of the chance.
    const double z = deviations(alarm / 3);
    const Share a = smoothed(old.failed, old.requests());
    const Share b = smoothed(fresh.failed, fresh.requests());
    const std::string errors = fmt::format("{:.2f} % of {} requests failed, {:.2f} % of {} of the control",
                                           percent(fresh.failed, fresh.requests()), fresh.requests(),
                                           percent(old.failed, old.requests()), old.requests());
    if (b.value - a.value - options.max_error_increase > z * std::sqrt(a.variance + b.variance)) {
        return {Finding::Worse, errors};
    }
    const auto first_token = judge_times("time to first token", options, control.first_token, candidate.first_token, z);
    const auto duration = judge_times("duration", options, control.duration, candidate.duration, z);
    for (const auto* slow : {&first_token, &duration}) {
        if (*slow && (*slow)->finding == Finding::Worse) return **slow;
    }
    const double increase = (percent(fresh.failed, fresh.requests()) - percent(old.failed, old.requests())) / 100;
    if (increase > options.max_error_increase) return {Finding::Unclear, errors};
    for (const auto* slow : {&first_token, &duration}) {
        if (*slow) return **slow;
    }
    return {Finding::AsGood, errors};
}

bool Canary::tick(const CanarySample& control, const CanarySample& candidate, Timestamp now) {
    if (state_.phase != CanaryPhase::Observing) return false;
    const std::int64_t seen = view(candidate).requests();
    const bool held = now - state_.since >= options_.hold;
    if (seen < next_look_ && !(held && judgement_.finding == Finding::AsGood)) return false;
    const int look = looks_ + 1;
    const double alarm = options_.false_alarm * 6 / std::pow(std::numbers::pi * look, 2);
    judgement_ = judge(options_, control, candidate, alarm);
    if (judgement_.finding == Finding::TooFew) return false;
    looks_ = look;
    next_look_ = seen + std::max<std::int64_t>(seen / 2, 1);
    if (judgement_.finding == Finding::Worse) {
        go(CanaryPhase::RolledBack, state_.step, judgement_.reason, now);
        return true;
    }
    if (judgement_.finding != Finding::AsGood || !held) return false;
    const bool last = state_.step + 1 >= options_.steps.size();
    go(last ? CanaryPhase::Promoted : CanaryPhase::Observing, last ? state_.step : state_.step + 1, judgement_.reason,
       now);
    return true;
}

void Canary::go(CanaryPhase phase, std::size_t step, std::string reason, Timestamp now) {
    state_ = {.phase = phase, .step = step, .since = now, .reason = std::move(reason)};
    judgement_ = {};
    looks_ = 0;
    next_look_ = 0;
}

Result<Unit> Canary::promote(const std::string& reason, Timestamp now) {
    if (state_.phase == CanaryPhase::Promoted) return Error{Errc::Conflict, options_.name + " is promoted already"};
    go(CanaryPhase::Promoted, state_.step, reason, now);
    return Unit{};
}

Result<Unit> Canary::roll_back(const std::string& reason, Timestamp now) {
    if (state_.phase == CanaryPhase::RolledBack) {
        return Error{Errc::Conflict, options_.name + " is rolled back already"};
    }
    go(CanaryPhase::RolledBack, state_.step, reason, now);
    return Unit{};
}

Result<Unit> Canary::pause(const std::string& reason, Timestamp now) {
    if (state_.phase != CanaryPhase::Observing) {
        return Error{Errc::Conflict, options_.name + " is " + std::string(to_string(state_.phase)) + ", not observing"};
    }
    go(CanaryPhase::Paused, state_.step, reason, now);
    return Unit{};
}

Result<Unit> Canary::resume(const std::string& reason, Timestamp now) {
    if (state_.phase != CanaryPhase::Paused) {
        return Error{Errc::Conflict, options_.name + " is " + std::string(to_string(state_.phase)) + ", not paused"};
    }
    go(CanaryPhase::Observing, state_.step, reason, now);
    return Unit{};
}

void Canary::restart(const std::string& reason, Timestamp now) {
    go(CanaryPhase::Observing, 0, reason, now);
}

double Canary::candidate_percent() const {
    switch (state_.phase) {
        case CanaryPhase::Promoted:
            return 100;
        case CanaryPhase::RolledBack:
            return 0;
        default:
            return options_.steps.at(state_.step);
    }
}

}  // namespace stoker::gateway
