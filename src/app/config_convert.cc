#include "app/config_convert.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/log_format.h"
#include "base/text.h"

namespace stoker::app {
namespace {

std::string in_folder(const std::string& folder, const std::string& path) {
    return (std::filesystem::path(folder) / path).string();
}

gateway::HealthOptions health_options(const HealthConfig& c) {
    gateway::HealthOptions options;
    options.path = c.path;
    options.interval = c.interval;
    options.timeout = c.timeout;
    options.unhealthy_after = static_cast<int>(c.unhealthy_after);
    options.healthy_after = static_cast<int>(c.healthy_after);
    options.refused_after = static_cast<int>(c.refused_after);
    options.stall_after = c.stall_after;
    options.silent_after = c.silent_after;
    options.probe_answer = c.probe_answer;
    return options;
}

gateway::ContinuationMode continuation_mode(const std::string& text) {
    if (text == "on") return gateway::ContinuationMode::On;
    return text == "off" ? gateway::ContinuationMode::Off : gateway::ContinuationMode::Auto;
}

gateway::PoolOptions pool_options(const PoolConfig& c, const std::string& folder) {
    gateway::PoolOptions options;
    options.name = c.name;
    options.models = c.models;
    for (const ReplicaConfig& replica : c.replicas) {
        gateway::ReplicaOptions& made = options.replicas.emplace_back();
        made.url = replica.url;
        made.model = replica.model;
        made.api_key = replica.api_key;
        made.adapters = replica.adapters;
        made.continuation = continuation_mode(replica.continuation);
    }
    options.health = health_options(c.health);
    options.deadlines = deadline_options(c.deadlines);
    options.retry = retry_options(c.retries);
    options.hedge = hedge_options(c.hedge);
    options.breaker = breaker_options(c.breaker);
    options.outliers = outlier_options(c.outliers);
    options.balance = balance_options(c.balance);
    options.admission = admission_options(c.admission);
    options.continuation.max = static_cast<int>(c.continuation.max);
    if (c.provider) {
        options.provider = provider_options(*c.provider, folder);
        options.health.probed = c.provider->probe;
    }
    return options;
}

}  // namespace

std::string external_url(const Config& config) {
    if (!config.external_url.empty()) return config.external_url;
    return (config.console.tls ? "https://" : "http://") + config.console.listen;
}

net::ServerOptions server_options(const ListenerConfig& listener, const std::string& name, const std::string& folder) {
    net::ServerOptions options;
    options.name = name;
    options.listen = listener.listen;
    if (listener.tls) {
        options.tls = net::TlsServerOptions{.certificate_file = in_folder(folder, listener.tls->certificate),
                                            .key_file = in_folder(folder, listener.tls->key)};
    }
    options.max_header_bytes = listener.limits.max_header.count;
    options.max_body_bytes = listener.limits.max_body.count;
    options.max_connections = static_cast<std::size_t>(listener.limits.max_connections);
    options.header_timeout = listener.limits.header_timeout;
    options.body_timeout = listener.limits.body_timeout;
    options.idle_timeout = listener.limits.idle_timeout;
    options.write_timeout = listener.limits.write_timeout;
    return options;
}

std::string access_log_path(const Config& config) {
    const std::string& path = config.access_log.path;
    return path.empty() || path == "-" ? path : in_folder(config.folder, path);
}

gateway::GatewayOptions gateway_options(const Config& config) {
    gateway::GatewayOptions options;
    options.max_body_bytes = config.gateway.limits.max_body.count;
    return options;
}

gateway::Routes routes(const Config& config) {
    gateway::Routes made;
    for (const PoolConfig& pool : config.pools) made.pools.push_back(pool_options(pool, config.folder));
    for (const ModelConfig& model : config.models) made.models.push_back(model_options(model));
    made.routing = routing_options(config.routing);
    return made;
}

tsdb::StoreOptions metrics_options(const Config& config) {
    const MetricsStorageConfig& c = config.storage.metrics;
    tsdb::StoreOptions options;
    options.retention = c.retention;
    options.retention_bytes = c.retention_size.count;
    options.rollup_retention = c.rollup_retention;
    options.out_of_order_window = c.out_of_order_window;
    options.future_window = c.future_window;
    options.durability = c.durability == "fsync" ? tsdb::Durability::Fsync : tsdb::Durability::Process;
    options.max_series = static_cast<std::size_t>(c.max_series);
    options.max_series_per_target = static_cast<std::size_t>(c.max_series_per_target);
    options.max_series_per_tenant = static_cast<std::size_t>(c.max_series_per_tenant);
    options.max_exemplars = static_cast<std::size_t>(c.max_exemplars);
    return options;
}

promql::EngineOptions engine_options(const Config& config) {
    const QueryConfig& c = config.query;
    promql::EngineOptions options;
    options.timeout = c.timeout;
    options.max_samples = static_cast<std::uint64_t>(c.max_samples);
    options.lookback = c.lookback;
    options.experimental = c.experimental;
    const std::size_t usual = std::max(1u, std::thread::hardware_concurrency() / 2);
    options.threads = c.threads > 0 ? static_cast<std::size_t>(c.threads) : usual;
    return options;
}

api::RemoteReadOptions remote_read_options(const Config& config) {
    api::RemoteReadOptions options;
    options.max_samples = std::min(options.max_samples, static_cast<std::size_t>(config.query.max_samples));
    return options;
}

collect::RemoteWriteReceiverOptions remote_write_options(const Config& config) {
    collect::RemoteWriteReceiverOptions options;
    options.max_body_bytes = config.ingest.max_decompressed.count;
    return options;
}

collect::OtlpOptions otlp_options(const Config& config) {
    const OtlpConfig& c = config.ingest.otlp;
    collect::OtlpOptions options;
    options.max_body_bytes = config.ingest.max_decompressed.count;
    options.promote_resource_attributes = c.promote_resource_attributes;
    options.promote_all_resource_attributes = c.promote_all_resource_attributes;
    options.promote_scope_metadata = c.promote_scope_metadata;
    options.keep_identifying_resource_attributes = c.keep_identifying_resource_attributes;
    options.custom_bucket_histograms = c.convert_histograms_to_nhcb;
    options.names = collect::parse_otlp_names(c.translation_strategy).value_or(options.names);
    return options;
}

collect::InfluxOptions influx_options(const Config& config) {
    collect::InfluxOptions options;
    options.max_body_bytes = config.ingest.max_decompressed.count;
    return options;
}

collect::JsonOptions json_options(const Config& config) {
    collect::JsonOptions options;
    options.max_body_bytes = config.ingest.max_decompressed.count;
    return options;
}

api::PushLimits push_limits(const Config& config) {
    return {.max_body = config.ingest.max_body.count, .max_in_flight = config.ingest.max_in_flight.count};
}

journal::Options journal_options(const Config& config) {
    const JournalConfig& c = config.storage.journal;
    journal::Options options;
    options.segment_bytes = c.segment_size.count;
    options.retain_bytes = c.max_size.count;
    options.retain_for = c.retention;
    options.durability = c.durability == "fsync" ? journal::Durability::Fsync : journal::Durability::Process;
    return options;
}

records::StoreOptions records_options(const Config& config) {
    records::StoreOptions options;
    options.memory_limit = config.storage.records.memory_limit;
    options.threads = config.storage.records.threads;
    return options;
}

collect::CollectOptions collect_options(const Config& config) {
    const CollectConfig& c = config.collect;
    collect::CollectOptions options;
    options.interval = c.scrape_interval;
    options.timeout = std::min(c.scrape_timeout, c.scrape_interval);
    options.max_body = c.max_scrape_size.count;
    options.native_histograms = c.scrape_native_histograms;
    options.max_samples = static_cast<std::size_t>(c.sample_limit);
    options.label_limits.max_labels = static_cast<std::size_t>(c.label_limit);
    options.label_limits.max_name_bytes = static_cast<std::size_t>(c.label_name_length_limit);
    options.label_limits.max_value_bytes = static_cast<std::size_t>(c.label_value_length_limit);
    options.adapters = c.engines.in_force;
    options.discover = c.discovery.enabled;
    options.discover_interval = c.discovery.interval;
    for (const std::string& port : c.discovery.ports) {
        options.discover_ports.push_back(static_cast<std::uint16_t>(parse_integer(port).value_or(0)));
    }
    return options;
}

heal::HealingConfig healing(const Config& config) {
    heal::HealingConfig made = config.healing;
    if (made.policies.empty()) made.policies.push_back(heal::default_policy());
    return made;
}

log::Level log_level(const LogConfig& config) {
    return log::parse_level(config.level).value_or(log::Level::Info);
}

log::Format log_format(const LogConfig& config) {
    return config.format == "json" ? log::Format::Json : log::Format::Text;
}

}  // namespace stoker::app
