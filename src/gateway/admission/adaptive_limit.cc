#include "gateway/admission/adaptive_limit.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace stoker::gateway {
namespace {

constexpr Duration kInterval{1'000};
constexpr std::size_t kFewest = 5;  // Times whose median means something.
constexpr std::size_t kMost = 512;  // That are kept of one interval.
// A step without prompts takes about as long as computing so many tokens, on small GPUs as on large ones.
constexpr double kStepTokens = 200;
constexpr double kMayWait = 0.1;  // Of what an engine runs.
constexpr double kLeastShrunk = 0.7;
constexpr double kSlowStart = 2;
constexpr double kGrowth = 1.0 / 32;
constexpr int kRest = 5;
constexpr Duration kMeasureEvery{120'000};
constexpr Duration kReportsHoldFor{30'000};
constexpr int kLow = 5;
constexpr double kLowShare = 0.5;

// What is computed for so many tokens and steps, in tokens.
double work(std::int64_t new_tokens, std::int64_t steps) {
    return static_cast<double>(std::max<std::int64_t>(new_tokens, 0)) +
           kStepTokens * static_cast<double>(std::max<std::int64_t>(steps, 1));
}

}  // namespace

std::string_view to_string(LimitSign sign) {
    constexpr std::string_view kNames[] = {"none",        "grows",        "enough",  "engine_queue",
                                           "first_token", "whole_answer", "measures"};
    return kNames[static_cast<std::size_t>(sign)];
}

void AdaptiveLimit::set(Bounds bounds) {
    bounds_ = bounds;
    limit_ = std::clamp(limit_, bounds_.min, bounds_.max);
}

void AdaptiveLimit::note_first_token(double seconds, std::int64_t new_tokens) {
    alive_ = true;
    first_tokens_.note(seconds / work(new_tokens, 1));
}

void AdaptiveLimit::note_whole_answer(double seconds, std::int64_t new_tokens, std::int64_t output_tokens) {
    alive_ = true;
    whole_answers_.note(seconds / work(new_tokens, output_tokens));
}

double AdaptiveLimit::limit() const {
    return low_ > 0 ? std::max(bounds_.min, limit_ * kLowShare) : limit_;
}

bool AdaptiveLimit::due(SteadyTime now) const {
    return now - updated_ >= kInterval;
}

void AdaptiveLimit::Times::note(double time) {
    if (samples_.size() < kMost) samples_.push_back(time);
}

std::optional<double> AdaptiveLimit::Times::ratio(SteadyTime now) {
    if (samples_.size() < kFewest) return {};
    const auto middle = samples_.begin() + static_cast<std::ptrdiff_t>(samples_.size() / 2);
    std::nth_element(samples_.begin(), middle, samples_.end());
    const double median = *middle;
    samples_.clear();
    const std::int64_t minute = std::chrono::floor<std::chrono::minutes>(now.time_since_epoch()).count();
    Window& own = windows_[static_cast<std::size_t>(minute) % kWindows];
    own = own.minute == minute ? Window{minute, std::min(own.least, median)} : Window{minute, median};
    double floor = median;
    for (const Window& window : windows_) {
        if (window.minute > minute - static_cast<std::int64_t>(kWindows)) floor = std::min(floor, window.least);
    }
    return floor > 0 ? median / floor : 1;
}

// By which sign, if by any.
std::optional<LimitSign> AdaptiveLimit::shrink(const EngineQueues& queues, SteadyTime now) {
    const auto first = first_tokens_.ratio(now);
    const auto whole = whole_answers_.ratio(now);
    const auto fresh = first ? first : whole;
    if (fresh) ratio_ = *fresh;
    double wanted = limit_;
    std::optional<LimitSign> sign;
    if (queues.at > queues_seen_) {
        queues_seen_ = queues.at;
        const double over = queues.waiting - std::max(1.0, kMayWait * queues.running);
        if (over > 0) {
            wanted = limit_ - over;
            sign = LimitSign::EngineQueue;
        }
    }
    if (fresh && *fresh > bounds_.tolerance) {
        const double by_time = limit_ * bounds_.tolerance / *fresh;
        if (!sign || by_time < wanted) sign = first ? LimitSign::FirstToken : LimitSign::WholeAnswer;
        wanted = std::min(wanted, by_time);
    }
    if (!sign) return {};
    limit_ = std::max(wanted, limit_ * kLeastShrunk);
    slow_start_ = false;
    rest_ = kRest;
    return sign;
}

// Only where nothing else would tell that the replicas are overloaded, and only under load.
void AdaptiveLimit::measure_floor(const EngineQueues& queues, bool full, SteadyTime now) {
    const bool reported = queues.at != SteadyTime{} && now - queues.at < kReportsHoldFor;
    if (low_ > 0) {
        floor_at_ = now;
        --low_;
    } else if (!full || reported || floor_at_ == SteadyTime{}) {
        floor_at_ = now;
    } else if (now - floor_at_ >= kMeasureEvery) {
        low_ = kLow;
        sign_ = LimitSign::Measures;
    }
}

void AdaptiveLimit::grow() {
    alive_ = false;
    sign_ = LimitSign::Grows;
    limit_ = slow_start_ ? limit_ * kSlowStart : limit_ + std::max(1.0, limit_ * kGrowth);
}

void AdaptiveLimit::update(const EngineQueues& queues, SteadyTime now) {
    updated_ = now;
    const bool full = std::exchange(full_, false);
    if (const auto sign = shrink(queues, now)) {
        sign_ = *sign;
    } else if (rest_ > 0) {
        --rest_;
    } else if (full) {
        if (alive_ && low_ == 0) grow();
    } else {
        sign_ = LimitSign::Enough;
    }
    limit_ = std::clamp(limit_, bounds_.min, bounds_.max);
    measure_floor(queues, full, now);
}

}  // namespace stoker::gateway
