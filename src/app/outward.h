// What Stoker tells others by itself: the event log with its webhooks, samples, spans and logs by OTLP, and Kafka.
//
// open() before the parts whose events it keeps, stop() after them. Thread-safe after open().
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "api/live.h"
#include "app/config.h"
#include "app/data_folder.h"
#include "app/event_sources.h"
#include "app/job.h"
#include "app/kafka.h"
#include "app/storage.h"
#include "app/telemetry_exports.h"
#include "base/metrics.h"
#include "outward/event_log.h"
#include "outward/otlp_export.h"
#include "outward/webhook_sender.h"

namespace stoker::app {

class Outward {
public:
    // Errors: the event log or a queue can't be opened, Kafka's. REQUIRES: all outlive it.
    static Result<std::unique_ptr<Outward>> open(const Config& config, const DataFolder& folder, Storage& storage,
                                                 api::Live& live, metrics::Registry& registry);
    ~Outward();  // stop()

    outward::EventLog& log() { return *log_; }
    EventSources& events() { return *events_; }

    // They are to get everything that is ingested.
    std::vector<outward::SampleQueue*> queues();

    // Others are told from here on; `pushes` take what Kafka brings. Errors: Kafka's.
    Result<Unit> start(const Config& config, const std::vector<api::PushEndpoint>& pushes);
    // Nobody is told any more; what they were not told waits in the log. Requests under way are abandoned.
    void stop();

private:
    Outward(std::unique_ptr<outward::EventLog> log, metrics::Registry& registry);

    metrics::Registry& registry_;
    const std::unique_ptr<outward::EventLog> log_;
    const std::unique_ptr<EventSources> events_;
    std::vector<std::unique_ptr<outward::WebhookSender>> webhooks_;
    std::vector<std::unique_ptr<outward::OtlpExport>> exports_;
    std::vector<TelemetryExport> telemetry_;
    std::unique_ptr<Kafka> kafka_;
    std::vector<std::unique_ptr<Job>> jobs_;
    std::atomic<bool> stopping_{false};
};

// POSTs, through the proxy and with the certificates that the webhook's configuration names. `stopping` (may be null)
// abandons it.
outward::PostFn webhook_post(const WebhookConfig& webhook, const Config& config, const std::atomic<bool>* stopping);

}  // namespace stoker::app
