#include "app/stoker.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "app/builtin_rules.h"
#include "app/config_convert.h"
#include "base/log.h"
#include "gateway/errors.h"

namespace stoker::app {
namespace {

constexpr Duration kSendLast{3'000};  // What remote_write may still send when Stoker stops; the rest stays on disk.

constexpr Duration kDiscovery{1'000};
constexpr Duration kOverview{1'000};
constexpr Duration kGpuEngines{1'000};
constexpr Duration kAccessLog{250};
constexpr Duration kTraces{1'000};
constexpr Duration kOwnTraces{250};
constexpr Duration kDegradation{500};  // How closely its own interval is kept.
constexpr Duration kSaveLimits{1'000};
constexpr Duration kCanaries{1'000};
constexpr Duration kSaveKeyUses{5'000};
constexpr Duration kIssuerKeys{100};  // What a request with a new signing key waits, beside the fetch.

std::size_t compute_threads(const Config& config) {
    if (config.runtime.compute_threads > 0) return static_cast<std::size_t>(config.runtime.compute_threads);
    return std::max(2u, std::thread::hardware_concurrency());
}

std::uint16_t port_of(const std::string& address) {
    std::uint16_t port = 0;
    auto colon = address.rfind(':');
    if (colon != std::string::npos) std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
    return port;
}

// What the server itself refuses (not HTTP, too long, too slow), in the shape of the API that the client speaks.
net::Response openai_error(int status, Errc, std::string_view message) {
    auto error = gateway::GatewayError::InvalidRequest;
    if (status == 408) error = gateway::GatewayError::RequestTimeout;
    if (status == 413) error = gateway::GatewayError::BodyTooLarge;
    if (status >= 500) error = gateway::GatewayError::Internal;
    return {status, {{"Content-Type", "application/json"}}, gateway::error_json(error, message)};
}

// Logs how long a part took to stop.
void timed(const char* part, const std::function<void()>& stop) {
    auto begin = std::chrono::steady_clock::now();
    stop();
    auto took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begin);
    log::info("stopped", {{"part", part}, {"ms", took.count()}});
}

}  // namespace

Stoker::Stoker(StokerSetup setup, DataFolder folder)
    : setup_(std::move(setup)),
      folder_(std::move(folder)),
      loops_(static_cast<std::size_t>(setup_.config.runtime.loops)),
      pool_(compute_threads(setup_.config)),
      query_pool_(static_cast<std::size_t>(setup_.config.query.max_concurrency)),
      engine_(engine_options(setup_.config)),
      config_(setup_.config),
      rules_(setup_.rules),
      config_at_(started_at_) {}

Stoker::~Stoker() {
    stop();
}

Result<std::unique_ptr<Stoker>> Stoker::start(StokerSetup setup) {
    TRY(auto folder, DataFolder::open(setup.data_dir));
    std::unique_ptr<Stoker> stoker(new Stoker(std::move(setup), std::move(folder)));
    TRY_UNIT(stoker->build());
    return stoker;
}

Result<Unit> Stoker::build() {
    const Config& config = setup_.config;
    TRY(gpus_, Gpus::create(config.collect.gpu));
    TRY(storage_, Storage::open(folder_, config, registry_));
    TRY(outward_, Outward::open(config, folder_, *storage_, live_, registry_));
    outward_->events().started();
    requests_ = std::make_unique<RequestPipeline>(*storage_->journal, live_, registry_);
    TRY(forwarding_,
        Forwarding::open(config, folder_, *storage_->metrics, loops_.at(loops_.size() - 1), pool_, registry_));
    forwarding_->add_queues(outward_->queues());
    samples_ = std::make_unique<SamplePipeline>(*forwarding_, registry_);
    gateway_ = gateway::Gateway::create(gateway_options(config), loops_, registry_, *requests_, events_);
    restore_release();
    restore_drained();
    auto applied = gateway_->apply(routes(config));
    if (!applied) return std::move(applied).error().context("pools");
    access_log_ = std::make_unique<AccessLog>(*storage_->journal, *storage_->state, registry_);
    traces_ = std::make_unique<TraceExport>(*storage_->journal, *storage_->state, registry_);
    gateway_->degradation().configure(degradation_options(config));
    own_traces_ = std::make_unique<OwnTraces>(*storage_->journal, *storage_->telemetry,
                                              telemetry_options(config).sampling, *storage_->metrics, registry_);
    access_log_->configure(access_log_path(config));
    traces_->configure(trace_options(config));
    degradation_ = std::make_unique<DegradationWatch>(gateway_->degradation(), engine_, *storage_->metrics,
                                                      *storage_->state, live_);
    degradation_->on_change([this](const auto& change) { outward_->events().degradation(change); });
    TRY_UNIT(open_keys());
    gateway_->set_limits(limits_options(config));
    gateway_->set_cache(cache_options(config.cache, config.batching));
    restore_limits();
    gateway_->on_sharing(
        [this](const gateway::SharingReport& report) { live_.publish("limits", api::json_of(report)); });
    TRY(brain_, Brain::create({folder_, *storage_, engine_, *gateway_, *samples_, live_, outward_->events(), registry_,
                               setup_.demo},
                              config));

    TRY(logs_, LogCollection::create(config, folder_.path(), *storage_->telemetry, outward_->log(), registry_));

    loops_.start();
    build_services();
    TRY_UNIT(listen());
    build_collector();
    build_sources();
    // Connected first: an engine that dies as soon as it is started must not die unheard.
    events_.connect(brain_.get());
    brain_->start(config, setup_.rules);
    gateway_->start();
    gateway_->share_limits(shared_limits_options(config));
    forwarding_->start();
    start_jobs();
    TRY_UNIT(outward_->start(config, receivers_->endpoints()));
    ready_ = true;
    return folder_.publish(gateway_address_, console_address_, started_at_);
}

void Stoker::restore_release() {
    constexpr std::string_view kKey = "gateway.release";
    state::StateStore& store = *storage_->state;
    const auto save = [&store, kKey](const std::string& json) {
        const auto kept = store.set_value(kKey, json);
        if (!kept) log::error("switches and canaries are not kept", {{"error", kept.error().message}});
    };
    const auto announce = [this](const gateway::ReleaseEvent& event) {
        const std::string json = gateway::to_json(event).dump();
        const auto written = storage_->journal->append(journal::Kind::Audit, json, event.at);
        if (!written) log::error("a change of routes is not in the journal", {{"error", written.error().message}});
        live_.publish("release", json);
        outward_->events().release(event);
    };
    gateway_->restore_release(store.value(kKey).value_or(""), save, announce);
}

Result<Unit> Stoker::open_keys() {
    TRY(agents_, AgentBook::open(*storage_->state, registry_));
    TRY(keys_, KeyBook::open(*storage_->state,
                             {.apply = [this](const gateway::AuthOptions& auth) { return gateway_->apply_auth(auth); },
                              .uses = [this](Timestamp since) { return gateway_->keys_used_since(since); }}));
    auto applied = keys_->configure(auth_options(setup_.config));
    if (!applied) return std::move(applied).error().context("auth");
    const auto take = [this](const std::string& issuer, std::shared_ptr<const crypto::KeySet> keys) {
        gateway_->set_issuer_keys(issuer, std::move(keys));
    };
    issuer_keys_ = std::make_unique<IssuerKeyFetcher>(*storage_->state, take, registry_);
    issuer_keys_->configure(issuer_sources(setup_.config));
    return Unit{};
}

void Stoker::restore_drained() {
    constexpr std::string_view kKey = "gateway.drained";
    state::StateStore& store = *storage_->state;
    const auto save = [&store, kKey](const std::string& json) {
        const auto kept = store.set_value(kKey, json);
        if (!kept) log::error("which replicas are drained is not kept", {{"error", kept.error().message}});
    };
    gateway_->restore_drained(store.value(kKey).value_or(""), save);
}

Result<Unit> Stoker::listen() {
    const Config& config = setup_.config;
    net::ServerOptions options = server_options(config.gateway, "gateway", config.folder);
    options.error_response = &openai_error;
    auto gateway = net::Server::open(loops_, options, gateway_->handler(), registry_);
    if (!gateway) return std::move(gateway).error().context("gateway.listen");
    gateway_server_ = *std::move(gateway);
    gateway_address_ = gateway_server_->address();

    net::Handler handler = [this](net::Exchange& exchange) { return console_->handle(exchange); };
    auto console =
        net::Server::open(loops_, server_options(config.console, "console", config.folder), handler, registry_);
    if (!console) return std::move(console).error().context("console.listen");
    console_server_ = *std::move(console);
    console_address_ = console_server_->address();
    return Unit{};
}

void Stoker::build_collector() {
    collect::CollectOptions options = collect_options(setup_.config);
    options.own_ports = {port_of(gateway_address_), port_of(console_address_)};
    gateway_counts_ = std::make_unique<GatewayCounts>([this] { return gateway_->statuses(); });
    options.gateway_count = [this](std::string_view replica) {
        return gateway_counts_->of(replica, std::chrono::steady_clock::now());
    };
    engine_loads_ = std::make_unique<EngineLoads>(
        *samples_, [this](std::string_view replica, const auto& report) { gateway_->report_load(replica, report); });
    collector_ = collect::Collector::create(loops_.at(loops_.size() - 1), options, *engine_loads_, registry_);
    auto applied = collector_->apply(target_specs(setup_.config));
    if (!applied) log::error("targets not taken", {{"error", applied.error().message}});
    collector_->start();
    scrapes_ = std::make_unique<collect::ScrapeManager>(*samples_, registry_);
    scrapes_->apply(setup_.config.scrape_jobs);
}

void Stoker::start_jobs() {
    storage_->start_jobs(setup_.config, registry_);
    logs_->start();
    jobs_.push_back(std::make_unique<Job>(
        "follow_discovery", kDiscovery, [this] { follow_discovery(); }, registry_));
    jobs_.push_back(std::make_unique<Job>(
        "watch_degradation", kDegradation, [this] { degradation_->look(); }, registry_));
    jobs_.push_back(std::make_unique<Job>(
        "write_access_log", kAccessLog, [this] { access_log_->write(); }, registry_));
    jobs_.push_back(std::make_unique<Job>(
        "send_traces", kTraces, [this] { traces_->send(); }, registry_));
    const auto keep_traces = [this] {
        const auto taken = own_traces_->take();
        if (!taken) log::error("traces of requests wait", {{"error", taken.error().message}});
    };
    jobs_.push_back(std::make_unique<Job>("keep_traces", kOwnTraces, keep_traces, registry_));
    jobs_.push_back(std::make_unique<Job>(
        "save_limits", kSaveLimits, [this] { save_limits(); }, registry_));
    const auto fetch = [this] {
        issuer_keys_->look(gateway_->take_wanted_issuers(), std::chrono::steady_clock::now());
    };
    jobs_.push_back(std::make_unique<Job>("fetch_issuer_keys", kIssuerKeys, fetch, registry_));
    jobs_.push_back(std::make_unique<Job>(
        "save_key_uses", kSaveKeyUses, [this] { save_key_uses(); }, registry_));
    jobs_.push_back(std::make_unique<Job>(
        "judge_canaries", kCanaries, [this] { gateway_->tick_canaries(); }, registry_));
    jobs_.push_back(std::make_unique<Job>(
        "judge_replicas", kCanaries, [this] { gateway_->tick_outliers(); }, registry_));
    jobs_.push_back(std::make_unique<Job>(
        "join_gpus_and_engines", kGpuEngines, [this] { follow_engines(); }, registry_));
    auto overview = [this] {
        if (live_.subscribers() > 0) live_.publish("overview", api::overview_json(*services_));
    };
    jobs_.push_back(std::make_unique<Job>("publish_overview", kOverview, overview, registry_));
}

void Stoker::follow_discovery() {
    MutexLock lock(mutex_);
    // A configuration that names pools means those and no others.
    if (!config_.pools.empty() || !discovered_.update(collector_->targets())) return;
    const Config config = in_effect();
    log::info("engines found", {{"pools", config.pools.size()}});
    apply(config, rules_);
}

Config Stoker::in_effect() const {
    Config config = config_;
    if (config.pools.empty()) config.pools = discovered_.pools();
    return config;
}

void Stoker::apply(const Config& config, std::vector<alert::RuleGroupSpec> rules) {
    auto routed = gateway_->apply(routes(config));
    if (!routed) log::error("routes not taken", {{"error", routed.error().message}});
    gateway_->degradation().configure(degradation_options(config));
    auto keyed = keys_->configure(auth_options(config));
    if (!keyed) log::error("keys not taken", {{"error", keyed.error().message}});
    issuer_keys_->configure(issuer_sources(config));
    access_log_->configure(access_log_path(config));
    traces_->configure(trace_options(config));
    gateway_->set_limits(limits_options(config));
    gateway_->set_cache(cache_options(config.cache, config.batching));
    gateway_->share_limits(shared_limits_options(config));
    auto targets = collector_->apply(target_specs(config));
    if (!targets) log::error("targets not taken", {{"error", targets.error().message}});
    scrapes_->apply(config.scrape_jobs);
    brain_->apply(config, std::move(rules));
}

api::ReloadOutcome Stoker::reload() {
    api::ReloadOutcome outcome;
    if (!setup_.load) {
        outcome.problems.emplace_back("Stoker was started without --config: there is nothing to reload");
        return outcome;
    }
    LoadedConfig loaded = setup_.load();
    MutexLock lock(mutex_);
    config_good_ = loaded.ok();
    if (!loaded.ok()) {
        for (const auto& problem : loaded.problems) outcome.problems.push_back(problem.text());
        log::error("configuration refused, the old one stays", {{"first_problem", outcome.problems.front()}});
        outward_->events().reloaded(outcome);
        return outcome;
    }
    config_at_ = now();
    outcome.changed = changed_sections(config_, loaded.config);
    outcome.restart_needed = restart_needed(outcome.changed);
    if (loaded.config.rules.files.empty()) loaded.rules.groups = builtin_rules();
    log::configure(log_level(loaded.config.log), log_format(loaded.config.log));
    config_ = std::move(loaded.config);
    rules_ = std::move(loaded.rules.groups);
    apply(in_effect(), rules_);
    log::info("configuration reloaded", {{"changed_sections", outcome.changed.size()}});
    outward_->events().reloaded(outcome);
    return outcome;
}

void Stoker::stop() {
    if (std::exchange(stopped_, true)) return;
    ready_ = false;
    folder_.withdraw();
    const Duration grace = setup_.config.runtime.stop_grace;
    // The gateway first, so that streams get the whole grace period; data last, so that it takes what comes till then.
    if (gateway_server_) timed("gateway", [&] { gateway_server_->stop(grace); });
    if (console_server_) timed("console", [&] { console_server_->stop(Duration{500}); });
    events_.connect(nullptr);
    for (auto& job : jobs_) job->stop();
    if (logs_) timed("logs", [&] { logs_->stop(); });
    if (collector_) timed("collector", [&] { collector_->stop(); });
    if (sources_) timed("sources", [&] { sources_->stop(); });
    if (scrapes_) timed("scrapes", [&] { scrapes_->stop(); });
    if (gpus_) gpus_->stop();
    if (gateway_) gateway_->stop();
    // What was answered until now still goes out, as far as it goes at once.
    if (access_log_) access_log_->write();
    if (traces_) traces_->send();
    if (gateway_) save_limits();
    if (keys_) save_key_uses();
    if (brain_) timed("brain", [&] { brain_->stop(grace); });
    if (forwarding_) timed("remote_write", [&] { forwarding_->stop(kSendLast); });
    if (outward_) timed("outward", [&] { outward_->stop(); });
    loops_.stop();
    query_pool_.join();
    pool_.join();
    if (storage_) timed("storage", [&] { storage_->stop(); });
}

}  // namespace stoker::app
