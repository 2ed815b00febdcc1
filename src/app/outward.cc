#include "app/outward.h"

#include <set>

#include "app/config_convert.h"
#include "app/http_call.h"
#include "app/journal_readers.h"
#include "base/file.h"
#include "base/retention_clock.h"
#include "outward/reader_name.h"

namespace stoker::app {
namespace {

constexpr Duration kWebhooks{200};  // How late an event may go out.
constexpr Duration kExports{500};   // The same of samples, spans and logs.
constexpr Duration kClean{60'000};
constexpr std::size_t kMaxAnswer = 64 * 1024;

CallOptions post_options(Duration timeout, const std::string& ca_file, const std::string& proxy,
                         const std::atomic<bool>* stopping) {
    CallOptions call;
    call.method = "POST";
    call.limit = timeout;
    call.max_answer = kMaxAnswer;
    call.ca_file = ca_file;
    if (auto through = configured_proxy(proxy)) call.proxy = *std::move(through);  // Checked when it was read.
    call.abandoned = stopping;
    return call;
}

outward::OtlpSender::Post post_with(CallOptions call) {
    return [call = std::move(call)](const std::string& url, const outward::WebhookRequest& request) {
        CallOptions one = call;
        one.headers = request.headers;
        one.body = request.body;
        one.content_type = request.content_type;
        return call_url(url, one);
    };
}

// Whoever the configuration names no more holds nothing back.
void forget_old_readers(const Config& config, journal::Journal& requests, journal::Journal& events) {
    std::set<std::string> topics;
    for (const KafkaOutConfig& topic : config.kafka.out) topics.insert(outward::reader_name("kafka", topic.topic));
    std::set<std::string> webhooks;
    for (const WebhookConfig& webhook : config.events.webhooks) {
        webhooks.insert(outward::reader_name("webhook", webhook.name));
    }
    forget_other_readers(requests, "kafka.", topics);
    forget_other_readers(events, "kafka.", topics);
    forget_other_readers(events, "webhook.", webhooks);
}

}  // namespace

Outward::Outward(std::unique_ptr<outward::EventLog> log, metrics::Registry& registry)
    : registry_(registry), log_(std::move(log)), events_(std::make_unique<EventSources>(*log_)) {}

Outward::~Outward() {
    stop();
}

Result<std::unique_ptr<Outward>> Outward::open(const Config& config, const DataFolder& folder, Storage& storage,
                                               api::Live& live, metrics::Registry& registry) {
    TRY(auto log, outward::EventLog::open(folder.at("events"), event_log_options(config.events), registry));
    forget_old_readers(config, *storage.journal, log->journal());
    log->on_publish([&live](const outward::Event& event) {
        if (live.subscribers() > 0) live.publish("event", outward::to_json(event));
    });
    std::unique_ptr<Outward> made(new Outward(std::move(log), registry));
    const PostOf post = [&config, stopping = &made->stopping_](const OtlpExportConfig& one) {
        return post_with(post_options(one.timeout, in_config_folder(config, one.ca_file), one.proxy, stopping));
    };
    for (const OtlpExportConfig& one : config.exported.otlp) {
        if (one.endpoint.empty()) continue;
        outward::OtlpExportOptions options;
        options.name = one.name;
        options.endpoint = one.endpoint;
        options.headers = export_headers(one);
        options.resource = export_resource(one, config);
        options.max_queue_bytes = one.queue_size.count;
        options.version = STOKER_VERSION;
        options.families = [store = storage.metrics.get()] { return store->metadata(""); };
        const std::string directory = folder.at("otlp/" + one.name);
        TRY_UNIT(ensure_directory(directory));
        TRY(auto opened, outward::OtlpExport::open(std::move(options), directory, post(one), registry));
        made->exports_.push_back(std::move(opened));
    }
    TRY(made->telemetry_, open_telemetry_exports(config, *storage.telemetry, post, registry));
    TRY(made->kafka_, Kafka::open(config, folder, *storage.journal, *made->log_, registry));
    return made;
}

std::vector<outward::SampleQueue*> Outward::queues() {
    std::vector<outward::SampleQueue*> all = kafka_->queues();
    for (auto& one : exports_) all.push_back(&one->queue());
    return all;
}

Result<Unit> Outward::start(const Config& config, const std::vector<api::PushEndpoint>& pushes) {
    const auto stopping = [this] { return stopping_.load(); };
    for (const WebhookConfig& webhook : config.events.webhooks) {
        webhooks_.push_back(std::make_unique<outward::WebhookSender>(webhook_options(webhook, external_url(config)),
                                                                     *log_, webhook_post(webhook, config, &stopping_),
                                                                     registry_));
        const auto send = [sender = webhooks_.back().get(), stopping] {
            sender->send(std::chrono::steady_clock::now(), now(), stopping);
        };
        jobs_.push_back(std::make_unique<Job>("webhook_" + webhook.name, kWebhooks, send, registry_));
    }
    for (const auto& one : exports_) {
        const auto send = [out = one.get(), stopping] { out->send(std::chrono::steady_clock::now(), stopping); };
        jobs_.push_back(std::make_unique<Job>("otlp_" + one->name(), kExports, send, registry_));
    }
    for (const TelemetryExport& one : telemetry_) {
        const auto send = [out = one.sender.get(), stopping] { out->send(std::chrono::steady_clock::now(), stopping); };
        jobs_.push_back(std::make_unique<Job>(one.job, kExports, send, registry_));
    }
    jobs_.push_back(std::make_unique<Job>(
        "clean_events", kClean, [this] { log_->clean(retention_now()); }, registry_));
    return kafka_->start(config, pushes);
}

void Outward::stop() {
    stopping_ = true;
    if (kafka_) kafka_->stop();
    for (auto& job : jobs_) job->stop();
}

outward::PostFn webhook_post(const WebhookConfig& webhook, const Config& config, const std::atomic<bool>* stopping) {
    const auto post =
        post_with(post_options(webhook.timeout, in_config_folder(config, webhook.ca_file), webhook.proxy, stopping));
    return [post](const outward::WebhookOptions& options, const outward::WebhookRequest& request) {
        return post(options.url, request);
    };
}

}  // namespace stoker::app
