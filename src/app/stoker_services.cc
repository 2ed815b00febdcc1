// The console's view of Stoker: api::Services filled in.
#include <charconv>

#include "app/agent_services.h"
#include "app/config_convert.h"
#include "app/key_services.h"
#include "app/limit_days.h"
#include "app/stoker.h"
#include "base/log.h"

namespace stoker::app {
namespace {

constexpr std::string_view kGateways = "gateway.limits.gateways";  // Of the state store's values.

std::vector<api::PushEndpoint> join(std::vector<api::PushEndpoint> some, std::vector<api::PushEndpoint> more) {
    some.insert(some.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    return some;
}

}  // namespace

void Stoker::build_services() {
    receivers_ =
        std::make_unique<Receivers>(setup_.config, *storage_->metrics, *storage_->telemetry, *forwarding_, registry_);
    services_.reset(new api::Services{
        .registry = registry_,
        .querier = *storage_->metrics,
        .engine = engine_,
        .records = *storage_->records,
        .journal = *storage_->journal,
        .live = live_,
        .now = [] { return now(); },
        .replicas = [this] { return gateway_->statuses(); },
        .drain = [this](const std::string& replica,
                        const std::string& reason) { return gateway_->drain(replica, reason); },
        .undrain = [this](const std::string& replica) { return gateway_->undrain(replica); },
        .limits = [this] { return gateway_->limits(); },
        .sharing = [this] { return gateway_->sharing(); },
        .cache = {.report = [this](const gateway::CacheFilter& filter,
                                   std::size_t most) { return gateway_->cache_report(filter, most); },
                  .purge = [this](const gateway::CacheFilter& filter) { return gateway_->purge_cache(filter); }},
        .queues = [this](std::size_t most) { return gateway_->admission(most); },
        .gpus = [this] { return gpus_->report(); },
        .engines = [this] { return engine_facts(); },
        .processes = [this] { return process_facts(); },
        .incidents =
            [this](bool open_only, std::size_t most) {
                std::vector<std::string> list;
                for (const auto& incident : brain_->book().list({.only_open = open_only, .limit = most})) {
                    list.push_back(diagnose::to_json(incident));
                }
                return list;
            },
        .open_incidents = [this] { return brain_->book().counts().open; },
        .incident = [this](const std::string& id) { return incident(id); },
        .decide = [this](const std::string& id, bool approve, const std::string& by,
                         const std::string& comment) -> Result<std::string> {
            auto& healer = brain_->healer();
            auto decided = approve ? healer.approve(id, by, comment) : healer.reject(id, by, comment);
            if (!decided) return std::move(decided).error();
            return diagnose::to_json(*decided);
        },
        .status = [this] { return status(); },
        .reload = [this] { return reload(); },
        .backup = [this] { return backup(); },
        .degradation = [this] { return gateway_->degradation().status(); },
        .pin_degradation = [this](gateway::DegradationPin pin) { return degradation_->pin(std::move(pin)); },
        .release_degradation = [this](const std::string& pool) { return degradation_->release(pool); },
        .routes = {.show = [this] { return gateway_->release_json(); },
                   .switch_alias =
                       [this](const std::string& alias, const std::string& to, const gateway::ReleaseOrder& order) {
                           return gateway_->switch_alias(alias, to, order);
                       },
                   .steer =
                       [this](const std::string& canary, const std::string& action,
                              const gateway::ReleaseOrder& order) {
                           return gateway_->steer_canary(canary, action, order);
                       },
                   .explain = [this](const std::string& question) { return gateway_->explain_route(question); },
                   .shadows = [this] { return gateway_->shadows_json(); }},
        .keys = key_services(*keys_),
        .events = &outward_->log(),
        .agents = agent_services(*agents_),
        .prometheus = prometheus_services(),
        .telemetry = storage_->telemetry.get(),
        .log_tail = &logs_->tail(),
        .pushes = behind_tokens(join(receivers_->endpoints(), logs_->endpoints()), *agents_,
                                setup_.config.ingest.require_token),
        .push_limits = push_limits(setup_.config),
        .cors_origins = setup_.config.api.cors_origins,
    });
    console_ = std::make_unique<api::Console>(*services_, api::ConsolePools{pool_, query_pool_});
}

api::Status Stoker::status() const {
    return {.ready = ready_,
            .demo = setup_.demo,
            .started_at = started_at_,
            .config_file = setup_.config_file,
            .data_dir = folder_.path(),
            .gateway_address = gateway_address_,
            .console_address = console_address_,
            .components = storage_->health()};
}

Result<std::string> Stoker::incident(const std::string& id) const {
    auto found = brain_->book().find(id);
    if (!found) return Error{Errc::NotFound, "no incident " + id};
    return diagnose::to_json(*found);
}

std::vector<api::EngineFacts> Stoker::engine_facts() const {
    std::vector<api::EngineFacts> facts;
    for (const auto& target : collector_->targets()) {
        facts.push_back({.url = target.url,
                         .kind = target.kind,
                         .version = target.version,
                         .models = target.models,
                         .scraped = target.scraped,
                         .scrape_ok = target.up,
                         .scrape_at = target.last_scrape,
                         .scrape_seconds = std::chrono::duration<double>(target.duration).count(),
                         .scrape_samples = target.samples,
                         .scrape_error = target.error,
                         .findings = target.findings});
    }
    return facts;
}

std::vector<api::ProcessFacts> Stoker::process_facts() const {
    std::vector<api::ProcessFacts> facts;
    for (const auto& process : brain_->supervisor().all()) {
        facts.push_back({.replica = process.id,
                         .pid = process.pid,
                         .restarts = process.restarts,
                         .state = std::string(heal::to_string(process.state))});
    }
    return facts;
}

void Stoker::restore_limits() {
    const auto days = load_limit_days(*storage_->state, now());
    if (!days) return log::error("tokens used today could not be read", {{"error", days.error().message}});
    gateway_->restore_days(*days);
    std::int64_t gateways = 1;
    const std::string kept = storage_->state->value(kGateways).value_or("");
    std::from_chars(kept.data(), kept.data() + kept.size(), gateways);
    gateway_->remember_gateways(gateways);
}

void Stoker::save_limits() {
    const auto saved = save_limit_days(*storage_->state, gateway_->take_changed_days());
    if (!saved) log::error("tokens used today could not be saved", {{"error", saved.error().message}});
    const std::int64_t gateways = gateway_->sharing().gateways;
    if (gateways == saved_gateways_) return;
    const auto kept = storage_->state->set_value(kGateways, std::to_string(gateways));
    if (!kept) log::error("the number of gateways could not be saved", {{"error", kept.error().message}});
    saved_gateways_ = gateways;
}

void Stoker::save_key_uses() {
    const auto saved = keys_->save_uses();
    if (!saved) log::error("when keys were used could not be saved", {{"error", saved.error().message}});
    const auto seen = agents_->save();
    if (!seen) log::error("when agents were seen could not be saved", {{"error", seen.error().message}});
}

}  // namespace stoker::app
