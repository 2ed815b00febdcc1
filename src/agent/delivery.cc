#include "agent/delivery.h"

#include <algorithm>

namespace stoker::agent {
namespace {

// A receiver may ask for a pause, but not for one without end.
constexpr Duration kMostRetryAfter{5 * 60'000};
constexpr std::size_t kParts = 4;

}  // namespace

Delivery::Delivery(DeliveryOptions options, SteadyTime now)
    : options_(options),
      most_records_(options.most_records),
      sent_at_(now - options.interval),
      not_before_(now),
      pace_(now),
      return_at_(now) {}

SteadyTime Delivery::next_send(bool backlog) const {
    const SteadyTime due = backlog || failing_ ? std::max(sent_at_, pace_) : sent_at_ + options_.interval;
    return std::max(due, not_before_);
}

Delivery::Settled Delivery::answered(const collect::SendAnswer& answer, std::size_t samples, std::size_t records,
                                     SteadyTime now, double random) {
    sent_at_ = now;
    if (answer.outcome == collect::SendOutcome::TryAgain) {
        failed(answer, now, random);
        return Settled::Waits;
    }
    took(samples, now);
    if (answer.outcome == collect::SendOutcome::Sent) {
        most_records_ = std::min(most_records_ * kParts, options_.most_records);
        return Settled::Taken;
    }
    if (!answer.worth_parting || records <= 1) return Settled::Dropped;
    most_records_ = std::max<std::size_t>(records / kParts, 1);
    return Settled::Waits;
}

void Delivery::took(std::size_t samples, SteadyTime now) {
    failing_ = false;
    backoff_ = Duration{0};
    not_before_ = now;
    const std::chrono::duration<double> worth(static_cast<double>(samples) / options_.catch_up);
    pace_ = std::max(pace_, now) + std::chrono::duration_cast<SteadyTime::duration>(worth);
    if (returning_) {
        current_ = 0;
        returning_ = false;
    }
    if (current_ != 0 && now >= return_at_) returning_ = true;
}

void Delivery::failed(const collect::SendAnswer& answer, SteadyTime now, double random) {
    if (returning_) {  // Not back yet: the other one has not failed.
        returning_ = false;
        return_at_ = now + options_.return_every;
        not_before_ = now;
        return;
    }
    if (!failing_) {
        failing_ = true;
        failing_since_ = now;
    }
    if (options_.destinations > 1 && now - failing_since_ >= options_.switch_after) {
        current_ = (current_ + 1) % options_.destinations;
        return_at_ = now + options_.return_every;
        failing_since_ = now;
        backoff_ = Duration{0};
        not_before_ = now;
        return;
    }
    backoff_ = std::clamp(backoff_ * 2, options_.min_backoff, options_.max_backoff);
    const auto spread = std::chrono::duration_cast<Duration>(backoff_ * (0.5 + random / 2));
    not_before_ = now + std::max(spread, std::min(answer.retry_after, kMostRetryAfter));
}

}  // namespace stoker::agent
