#include "app/outward.h"

#include "app/config_convert.h"
#include "app/http_call.h"

namespace stoker::app {
namespace {

constexpr Duration kWebhooks{200};  // How late an event may go out.
constexpr Duration kClean{60'000};
constexpr std::size_t kMaxAnswer = 64 * 1024;

}  // namespace

Outward::Outward(std::unique_ptr<outward::EventLog> log, metrics::Registry& registry)
    : registry_(registry), log_(std::move(log)), events_(std::make_unique<EventSources>(*log_)) {}

Outward::~Outward() {
    stop();
}

Result<std::unique_ptr<Outward>> Outward::open(const Config& config, const DataFolder& folder, api::Live& live,
                                               metrics::Registry& registry) {
    TRY(auto log, outward::EventLog::open(folder.at("events"), event_log_options(config.events), registry));
    log->on_publish([&live](const outward::Event& event) {
        if (live.subscribers() > 0) live.publish("event", outward::to_json(event));
    });
    return std::unique_ptr<Outward>(new Outward(std::move(log), registry));
}

void Outward::start(const Config& config) {
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
    jobs_.push_back(std::make_unique<Job>(
        "clean_events", kClean, [this] { log_->clean(now()); }, registry_));
}

void Outward::stop() {
    stopping_ = true;
    for (auto& job : jobs_) job->stop();
}

outward::PostFn webhook_post(const WebhookConfig& webhook, const Config& config, const std::atomic<bool>* stopping) {
    CallOptions call;
    call.method = "POST";
    call.limit = webhook.timeout;
    call.max_answer = kMaxAnswer;
    call.ca_file = in_config_folder(config, webhook.ca_file);
    if (auto proxy = configured_proxy(webhook.proxy)) call.proxy = *std::move(proxy);  // Checked when it was read.
    call.abandoned = stopping;
    return [call](const outward::WebhookOptions& options, const outward::WebhookRequest& request) {
        CallOptions one = call;
        one.headers = request.headers;
        one.body = request.body;
        one.content_type = request.content_type;
        return call_url(options.url, one);
    };
}

}  // namespace stoker::app
