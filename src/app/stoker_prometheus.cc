// What Prometheus' API answers from.
#include "app/config_convert.h"
#include "app/stoker.h"
#include "base/text.h"
#include "collect/engine/adapters.h"
#include "net/http.h"

namespace stoker::app {
namespace {

using Health = api::ScrapeTarget::Health;

// Configured targets may have a path of their own; engines have the one that is usual for their kind.
std::string scrape_url(const collect::TargetStatus& target, const std::vector<TargetConfig>& configured,
                       const collect::Adapters& adapters) {
    std::string url = target.url;
    while (url.ends_with('/')) url.pop_back();
    for (const TargetConfig& one : configured) {
        if (one.url == target.url) return url + one.path;
    }
    const std::string path = adapters.metrics_path(target.kind);
    return url + (path.empty() ? "/" : path);
}

tsdb::Labels target_labels(const collect::TargetStatus& target) {
    std::vector<tsdb::Labels::Pair> pairs = {
        {"job", "engine"}, {"engine", target.kind}, {"pool", target.pool}, {"replica", target.replica}};
    if (const auto url = net::parse_url(target.url)) pairs.emplace_back("instance", url->host + ":" + url->port);
    return tsdb::Labels(std::move(pairs));
}

}  // namespace

api::PrometheusServices Stoker::prometheus_services() {
    return {
        .store = *storage_->metrics,
        .engine = engine_,
        .now = [] { return now(); },
        .targets = [this] { return scrape_targets(); },
        .discovery = [this] { return discovery(); },
        .rules = [this]() -> api::RuleGroups { return brain_->rules().status(); },
        .facts = [this] { return server_facts(); },
        .admin = setup_.config.api.admin,
        .snapshots = folder_.at("snapshots"),
        .external_labels = tsdb::Labels({setup_.config.external_labels.begin(), setup_.config.external_labels.end()})};
}

std::vector<api::ScrapeTarget> Stoker::scrape_targets() const {
    if (!ready_) return {};  // The console answers before the collector is there.
    const collect::CollectOptions options = collect_options(setup_.config);
    std::vector<TargetConfig> configured;
    {
        MutexLock lock(mutex_);
        configured = config_.collect.targets;
    }
    std::vector<api::ScrapeTarget> targets;
    for (const auto& target : collector_->targets()) {
        targets.push_back({.pool = "engine",
                           .url = scrape_url(target, configured, *options.adapters),
                           .labels = target_labels(target),
                           .health = !target.scraped ? Health::Unknown
                                     : target.up     ? Health::Up
                                                     : Health::Down,
                           .error = target.error,
                           .last_scrape = target.last_scrape,
                           .last_seconds = std::chrono::duration<double>(target.duration).count(),
                           .interval = options.interval,
                           .timeout = options.timeout,
                           .samples = target.samples});
    }
    for (const auto& target : scrapes_->report().targets) {
        targets.push_back({.pool = target.job,
                           .url = target.url,
                           .labels = tsdb::Labels({target.labels.begin(), target.labels.end()}),
                           .health = !target.scraped ? Health::Unknown
                                     : target.up     ? Health::Up
                                                     : Health::Down,
                           .error = target.error,
                           .last_scrape = target.last_scrape,
                           .last_seconds = std::chrono::duration<double>(target.duration).count(),
                           .interval = target.interval,
                           .timeout = target.timeout,
                           .samples = target.samples,
                           .discovered = tsdb::Labels({target.discovered.begin(), target.discovered.end()})});
    }
    return targets;
}

api::Discovery Stoker::discovery() const {
    if (!ready_) return {};
    api::Discovery out;
    const collect::ScrapeReport report = scrapes_->report();
    for (const auto& target : report.dropped) {
        out.dropped.push_back({target.job, tsdb::Labels({target.discovered.begin(), target.discovered.end()})});
    }
    out.dropped_counts = report.dropped_counts;
    for (const auto& source : report.sources) {
        out.sources.push_back({.pool = source.job,
                               .kind = source.kind,
                               .targets = source.targets,
                               .asked = source.asked,
                               .error = source.health.error,
                               .good_at = source.health.good_at});
    }
    return out;
}

api::ServerFacts Stoker::server_facts() const {
    MutexLock lock(mutex_);
    const Config& c = config_;
    const auto yes_or_no = [](bool value) { return std::string(value ? "true" : "false"); };
    return {.started_at = started_at_,
            .config_at = config_at_,
            .config_good = config_good_,
            .config_yaml = to_yaml(c),
            .retention = c.storage.metrics.retention,
            .flags = {{"config.file", setup_.config_file},
                      {"log.format", c.log.format},
                      {"log.level", c.log.level},
                      {"query.lookback-delta", format_duration(c.query.lookback)},
                      {"query.max-concurrency", std::to_string(c.query.max_concurrency)},
                      {"query.max-samples", std::to_string(c.query.max_samples)},
                      {"query.timeout", format_duration(c.query.timeout)},
                      {"storage.tsdb.path", folder_.at("tsdb")},
                      {"storage.tsdb.retention.size", config::format_bytes(c.storage.metrics.retention_size)},
                      {"storage.tsdb.retention.time", format_duration(c.storage.metrics.retention)},
                      {"web.cors.origin", join(c.api.cors_origins, "|")},
                      {"web.enable-admin-api", yes_or_no(c.api.admin)},
                      {"web.enable-lifecycle", "true"},
                      {"web.enable-remote-write-receiver", "true"},
                      {"web.listen-address", console_address_}}};
}

}  // namespace stoker::app
