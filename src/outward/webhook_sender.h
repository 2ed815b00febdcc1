// Sends events to a webhook, one after the other, from its own place in the log: what comes while the receiver is away
// waits there, and a restart goes on where it was. After a crash the last event may come twice, with the same id.
//
// Tried again with pauses that double, up to give_up_after; what is refused or too old by then is a dead letter:
// counted, logged with its id, and still in the log. send() is for one thread and blocks while the receiver is asked.
#pragma once

#include <functional>
#include <string>

#include "base/metrics.h"
#include "base/time.h"
#include "outward/event_log.h"
#include "outward/webhook.h"

namespace stoker::outward {

// One blocking POST.
using PostFn = std::function<Result<net::Response>(const WebhookOptions& options, const WebhookRequest& request)>;

class WebhookSender {
public:
    // REQUIRES: log and registry outlive it.
    WebhookSender(WebhookOptions options, EventLog& log, PostFn post, metrics::Registry& registry);

    // Sends what waits, unless a pause is kept. Ends early once `stopping` says so.
    void send(SteadyTime steady, Timestamp now, const std::function<bool()>& stopping);

    const WebhookOptions& options() const { return options_; }

private:
    enum class Next : std::uint8_t { Goon, Wait };
    Next deliver(const Event& event, SteadyTime steady, Timestamp now);
    void dead(const Event& event, const std::string& why);
    void passed(std::uint64_t sequence);

    const WebhookOptions options_;
    EventLog& log_;
    const PostFn post_;
    metrics::Counter& taken_;
    metrics::Counter& again_;
    metrics::Counter& dead_;
    metrics::Gauge& waiting_;
    const std::string reader_;
    std::uint64_t next_;
    std::uint64_t committed_;

    // Of the event at next_, while it is tried.
    SteadyTime not_before_{};
    SteadyTime first_try_{};
    Duration pause_{0};
};

}  // namespace stoker::outward
