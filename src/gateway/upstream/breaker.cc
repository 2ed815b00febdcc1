#include "gateway/upstream/breaker.h"

#include <fmt/format.h>

#include <algorithm>

namespace stoker::gateway {
namespace {

constexpr int kSnapshotsPerWindow = 10;
constexpr double kFirstShare = 0.1;  // Of its part that a replica gets at the beginning of slow start.
constexpr int kMostDoublings = 20;

}  // namespace

void Breaker::keep(FinishedTotals totals, SteadyTime now) {
    while (!snapshots_.empty() && snapshots_.front().at < now - options_.window) snapshots_.pop_front();
    const auto spacing = options_.window / kSnapshotsPerWindow;
    if (!snapshots_.empty() && now - snapshots_.back().at < spacing) return;
    snapshots_.push_back({now, totals});
}

std::optional<FinishedTotals> Breaker::since_window(SteadyTime now) const {
    for (const Snapshot& snapshot : snapshots_) {
        if (snapshot.at >= now - options_.window) return snapshot.totals;
    }
    return {};
}

void Breaker::on_tick(FinishedTotals totals, SteadyTime now) {
    keep(totals, now);
    if (ramp_since_ && now - *ramp_since_ >= options_.slow_start) ramp_since_.reset();
}

std::optional<Breaker::Opening> Breaker::on_failure(std::string_view what, FinishedTotals totals, SteadyTime now) {
    if (state_ != State::Closed) return {};
    ++in_row_;
    if (options_.consecutive > 0 && in_row_ >= options_.consecutive) {
        return open(fmt::format("{} requests in a row failed", in_row_), {fmt::format("the last: {}", what)}, now);
    }
    const auto before = since_window(now);
    keep(totals, now);
    if (!before || options_.failure_share <= 0) return {};
    const std::int64_t requests = totals.requests - before->requests;
    const std::int64_t failures = totals.failures - before->failures;
    if (requests < options_.min_requests) return {};
    if (static_cast<double>(failures) < options_.failure_share * static_cast<double>(requests)) return {};
    return open(fmt::format("{} of {} requests failed", failures, requests),
                {fmt::format("within {}", format_duration(options_.window)), fmt::format("the last: {}", what)}, now);
}

Breaker::Opening Breaker::trip(std::string reason, std::vector<std::string> evidence, SteadyTime now) {
    return open(std::move(reason), std::move(evidence), now);
}

Breaker::Opening Breaker::open(std::string reason, std::vector<std::string> evidence, SteadyTime now) {
    if (closed_at_ && now - *closed_at_ > options_.open_max) openings_ = 0;
    const auto doubled = options_.open_for * (std::int64_t{1} << std::min(openings_, kMostDoublings));
    const Duration lasts = std::min(doubled, options_.open_max);
    ++openings_;
    state_ = State::Open;
    open_until_ = now + lasts;
    in_row_ = 0;
    snapshots_.clear();
    closed_at_.reset();
    ramp_since_.reset();
    evidence.push_back(fmt::format("it is tried again in {}{}", format_duration(lasts),
                                   openings_ > 1 ? fmt::format(", opened {} times of late", openings_) : ""));
    return {std::move(reason), std::move(evidence)};
}

bool Breaker::claim_trial(SteadyTime now) {
    if (state_ != State::Open || now < open_until_) return false;
    state_ = State::HalfOpen;
    return true;
}

void Breaker::trial_succeeded(SteadyTime now) {
    state_ = State::Closed;
    in_row_ = 0;
    closed_at_ = now;
    start_slowly(now);
}

Breaker::Opening Breaker::trial_failed(std::string_view what, SteadyTime now) {
    return open("it failed again when it was tried", {fmt::format("the trial: {}", what)}, now);
}

void Breaker::trial_said_nothing(SteadyTime now) {
    state_ = State::Open;
    open_until_ = now;
}

void Breaker::reset() {
    state_ = State::Closed;
    in_row_ = 0;
    snapshots_.clear();
    ramp_since_.reset();
}

void Breaker::start_slowly(SteadyTime now) {
    if (options_.slow_start > Duration{0}) ramp_since_ = now;
}

double Breaker::weight(SteadyTime now) const {
    if (!ramp_since_ || now - *ramp_since_ >= options_.slow_start) return 1;
    const double passed = std::chrono::duration<double>(now - *ramp_since_).count();
    return std::max(kFirstShare, passed / std::chrono::duration<double>(options_.slow_start).count());
}

}  // namespace stoker::gateway
