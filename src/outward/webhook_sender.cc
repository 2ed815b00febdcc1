#include "outward/webhook_sender.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "outward/reader_name.h"

namespace stoker::outward {
namespace {

constexpr std::size_t kAtOnce = 64;
constexpr Duration kFirstPause{1'000};
constexpr Duration kLongestPause{300'000};

metrics::Family<metrics::Counter>& deliveries(metrics::Registry& registry) {
    return registry.counter(
        "stoker_webhook_deliveries_total",
        "Attempts to tell a webhook of an event: taken, again (it will be tried again), dead (given "
        "up).",
        {"webhook", "result"});
}

}  // namespace

WebhookSender::WebhookSender(WebhookOptions options, EventLog& log, PostFn post, metrics::Registry& registry)
    : options_(std::move(options)),
      log_(log),
      post_(std::move(post)),
      taken_(deliveries(registry).with({options_.name, "taken"})),
      again_(deliveries(registry).with({options_.name, "again"})),
      dead_(deliveries(registry).with({options_.name, "dead"})),
      waiting_(registry
                   .gauge("stoker_webhook_waiting_events", "Events that a webhook has not passed yet, fit or not.",
                          {"webhook"})
                   .with({options_.name})),
      reader_(reader_name("webhook", options_.name)),
      next_(log.place(reader_)),
      committed_(next_) {}

void WebhookSender::send(SteadyTime steady, Timestamp now, const std::function<bool()>& stopping) {
    waiting_.set(static_cast<double>(log_.next_sequence() - std::min(next_, log_.next_sequence())));
    if (steady < not_before_) return;
    while (!stopping()) {
        auto events = log_.read(next_, kAtOnce);
        if (!events) return log::warn("events can't be read", {{"error", events.error().message}});
        if (events->empty()) break;
        for (const Event& event : *events) {
            if (options_.filter.matches(event) && deliver(event, steady, now) == Next::Wait) return passed(next_);
            next_ = event.sequence + 1;
            first_try_ = {};
            if (stopping()) break;
        }
        passed(next_);
    }
    passed(next_);
    waiting_.set(static_cast<double>(log_.next_sequence() - std::min(next_, log_.next_sequence())));
}

WebhookSender::Next WebhookSender::deliver(const Event& event, SteadyTime steady, Timestamp now) {
    if (first_try_ == SteadyTime{}) first_try_ = steady;
    const auto verdict = judge_delivery(post_(options_, webhook_request(options_, event, now)));
    switch (verdict.delivery) {
        case Delivery::Taken:
            taken_.add();
            pause_ = Duration{0};
            passed(event.sequence + 1);
            return Next::Goon;
        case Delivery::Refused:
            dead(event, verdict.error);
            return Next::Goon;
        case Delivery::TryAgain:
            break;
    }
    if (steady - first_try_ >= options_.give_up_after) {
        dead(event, verdict.error);
        return Next::Goon;
    }
    again_.add();
    if (pause_ == Duration{0}) log::warn("a webhook waits", {{"webhook", options_.name}, {"error", verdict.error}});
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    not_before_ = steady + std::max(pause_, verdict.retry_after);
    return Next::Wait;
}

void WebhookSender::dead(const Event& event, const std::string& why) {
    dead_.add();
    log::error("an event was given up", {{"webhook", options_.name}, {"event", event.id}, {"error", why}});
}

void WebhookSender::passed(std::uint64_t sequence) {
    if (sequence == committed_) return;
    const auto kept = log_.commit(reader_, sequence);
    if (!kept) return log::warn("the place of a webhook is not kept", {{"error", kept.error().message}});
    committed_ = sequence;
}

}  // namespace stoker::outward
