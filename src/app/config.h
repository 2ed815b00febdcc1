// The configuration of the whole product: what stoker.yaml may say, with its defaults.
//
// Each struct has a describe() beside it (config_*.cc), which reads, checks and documents it; docs/configuration.md is
// generated from those. Modules have their own option structs and know nothing of files; config_convert.h fills them.
// A Config is a plain value: a reload reads another one and compares.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/rule_file.h"
#include "alert/rule_manager.h"
#include "api/push.h"
#include "app/config_auth.h"
#include "app/config_cache.h"
#include "app/config_collect.h"
#include "app/config_faults.h"
#include "app/config_logs.h"
#include "app/config_outward.h"
#include "app/config_routing.h"
#include "app/config_telemetry.h"
#include "app/trace_export.h"
#include "base/config.h"
#include "base/result.h"
#include "base/time.h"
#include "collect/send/remote_write_sender.h"
#include "gateway/degrade/degradation.h"
#include "gateway/limit/limit_options.h"
#include "gateway/limit/shared_limits.h"
#include "gateway/options.h"
#include "heal/policy.h"
#include "journal/journal.h"
#include "net/server.h"
#include "promql/engine.h"
#include "records/store.h"
#include "tsdb/store.h"

namespace stoker::app {

struct TlsConfig {
    std::string certificate;
    std::string key;
};

// How much one client may ask of a listener.
struct LimitsConfig {
    config::Bytes max_body{net::ServerOptions{}.max_body_bytes};
    config::Bytes max_header{net::ServerOptions{}.max_header_bytes};
    std::int64_t max_connections = static_cast<std::int64_t>(net::ServerOptions{}.max_connections);
    Duration header_timeout = net::ServerOptions{}.header_timeout;
    Duration body_timeout = net::ServerOptions{}.body_timeout;
    Duration idle_timeout = net::ServerOptions{}.idle_timeout;
    Duration write_timeout = net::ServerOptions{}.write_timeout;
};

struct ListenerConfig {
    std::string listen;
    bool allow_public = false;
    std::optional<TlsConfig> tls;
    LimitsConfig limits;
};

struct ReplicaConfig {
    std::string url;
    std::string model;
    std::string continuation = "auto";
    std::string api_key;
    std::vector<std::string> adapters;
    std::vector<std::string> run;
    std::string systemd;
    std::map<std::string, std::string> env;
};

struct HealthConfig {
    std::string path = gateway::HealthOptions{}.path;
    Duration interval = gateway::HealthOptions{}.interval;
    Duration timeout = gateway::HealthOptions{}.timeout;
    std::int64_t unhealthy_after = gateway::HealthOptions{}.unhealthy_after;
    std::int64_t healthy_after = gateway::HealthOptions{}.healthy_after;
    std::int64_t refused_after = gateway::HealthOptions{}.refused_after;
    Duration stall_after = gateway::HealthOptions{}.stall_after;
    Duration silent_after = gateway::HealthOptions{}.silent_after;
    Duration probe_answer = gateway::HealthOptions{}.probe_answer;
};

struct BalanceConfig {
    std::string policy{to_string(gateway::BalanceOptions{}.kind)};
    std::string session_header = gateway::BalanceOptions{}.session_header;
    double load_factor = gateway::BalanceOptions{}.load_factor;
    std::int64_t load_slack = gateway::BalanceOptions{}.load_slack;
    config::Bytes prefix_memory{gateway::BalanceOptions{}.prefix_memory_bytes};
    std::int64_t cache_tokens = gateway::BalanceOptions{}.cache_tokens;
    Duration stale_after = gateway::BalanceOptions{}.stale_after;
};

struct ContinuationConfig {
    std::int64_t max = gateway::ContinuationOptions{}.max;
};

// Whose replicas a pool's are, if they are not our own engines.
struct ProviderConfig {
    std::string api{to_string(gateway::ProviderOptions{}.api)};
    std::string api_key;
    std::string path = gateway::ProviderOptions{}.path;
    std::map<std::string, std::string> models;
    std::map<std::string, std::string> set_headers;
    std::vector<std::string> pass_headers;
    std::vector<std::string> remove_headers;
    std::string ca_file;
    bool verify = gateway::ProviderOptions{}.verify;
    std::string proxy = "environment";
    std::string proxy_credentials;
    bool probe = false;
};

struct AdmissionConfig {
    std::string concurrency = "off";  // off, auto, or a number.
    std::int64_t min = gateway::AdmissionOptions{}.min;
    std::int64_t max = gateway::AdmissionOptions{}.max;
    double ttft_tolerance = gateway::AdmissionOptions{}.ttft_tolerance;
    std::int64_t queue = static_cast<std::int64_t>(gateway::AdmissionOptions{}.queue);
    Duration timeout = gateway::AdmissionOptions{}.timeout;
    double lower_share = gateway::AdmissionOptions{}.lower_share;
};

struct PoolConfig {
    std::string name;
    std::vector<std::string> models;
    std::vector<ReplicaConfig> replicas;
    HealthConfig health;
    DeadlinesConfig deadlines;
    RetriesConfig retries;
    HedgeConfig hedge{};
    BreakerConfig breaker{};
    OutliersConfig outliers{};
    BalanceConfig balance{};
    ContinuationConfig continuation{};
    std::optional<ProviderConfig> provider{};
    AdmissionConfig admission{};
};

// A model that takes requests over from another one.
struct FallbackConfig {
    std::string to;
    std::vector<std::string> on = {"down", "overloaded"};
    bool allowed_only = false;
};

// What holds for one model, whatever pool serves it.
struct ModelConfig {
    std::string name;
    std::vector<FallbackConfig> fallback;
    ModelDeadlinesConfig deadlines{};
};

// 0 means that the condition never asks for that level.
struct DegradationConditionConfig {
    std::string name;
    std::string query;
    double light = 0;
    double medium = 0;
    double heavy = 0;
    double emergency = 0;
};

struct DegradationLevelConfig {
    std::vector<std::string> drop;
    std::int64_t max_tokens = 0;
    config::Bytes max_prompt{};
    std::map<std::string, std::string> models;
    std::string refuse = "none";
    bool cache_only = false;
    std::string answer;
};

struct DegradationConfig {
    bool enabled = gateway::DegradationOptions{}.enabled;
    Duration interval = gateway::DegradationOptions{}.interval;
    Duration raise_after = gateway::DegradationOptions{}.raise_after;
    Duration clear_after = gateway::DegradationOptions{}.clear_after;
    double clear_ratio = gateway::DegradationOptions{}.clear_ratio;
    std::vector<std::string> exempt_tenants;
    std::vector<DegradationConditionConfig> conditions;
    DegradationLevelConfig light;
    DegradationLevelConfig medium;
    DegradationLevelConfig heavy;
    DegradationLevelConfig emergency;
};
DegradationConfig default_degradation();

struct TracingConfig {
    std::string endpoint;
    std::map<std::string, std::string> headers;
    std::string bearer_token;
    double sample = TraceExportOptions{}.sample;
    std::map<std::string, std::string> resource;
    Duration timeout = TraceExportOptions{}.timeout;
};

struct AccessLogConfig {
    std::string path;
};

// What is left at -1 in an entry of its own is as for all others; everywhere else 0 is no limit.
struct RateLimitConfig {
    std::int64_t requests_per_minute = 0;
    std::int64_t tokens_per_minute = 0;
    std::int64_t concurrent_requests = 0;
    std::int64_t tokens_per_day = 0;
};

struct NamedRateLimitConfig {
    std::string name;
    RateLimitConfig limits{-1, -1, -1, -1};
};

struct SharedLimitsConfig {
    std::string url;
    std::string prefix = gateway::SharedLimitsOptions{}.prefix;
    Duration deadline = gateway::SharedLimitsOptions{}.deadline;
    std::int64_t gateways = gateway::SharedLimitsOptions{}.gateways;
    std::string ca_file;
    bool verify = true;
};

struct RateLimitsConfig {
    Duration burst = gateway::LimitsOptions{}.burst;
    RateLimitConfig global;
    RateLimitConfig each_tenant;
    RateLimitConfig each_key;
    RateLimitConfig each_model;
    std::vector<NamedRateLimitConfig> tenants;
    std::vector<NamedRateLimitConfig> keys;
    std::vector<NamedRateLimitConfig> models;
    std::optional<SharedLimitsConfig> redis;
};

struct RulesConfig {
    std::vector<std::string> files;  // Patterns, as written.
    Duration interval{15'000};
    Duration query_offset{0};
    std::int64_t concurrency = alert::RuleManagerOptions{}.concurrency;
};

struct MetricsStorageConfig {
    Duration retention = tsdb::StoreOptions{}.retention;
    config::Bytes retention_size{tsdb::StoreOptions{}.retention_bytes};
    Duration rollup_retention = tsdb::StoreOptions{}.rollup_retention;
    Duration out_of_order_window = tsdb::StoreOptions{}.out_of_order_window;
    Duration future_window = tsdb::StoreOptions{}.future_window;
    std::string durability = "process";
    std::int64_t max_series = static_cast<std::int64_t>(tsdb::StoreOptions{}.max_series);
    std::int64_t max_series_per_target = static_cast<std::int64_t>(tsdb::StoreOptions{}.max_series_per_target);
    std::int64_t max_series_per_tenant = static_cast<std::int64_t>(tsdb::StoreOptions{}.max_series_per_tenant);
    std::int64_t max_exemplars = static_cast<std::int64_t>(tsdb::StoreOptions{}.max_exemplars);
};

struct JournalConfig {
    Duration retention = journal::Options{}.retain_for;
    config::Bytes max_size{journal::Options{}.retain_bytes};
    config::Bytes segment_size{journal::Options{}.segment_bytes};
    std::string durability = "process";
};

struct StorageConfig {
    MetricsStorageConfig metrics;
    JournalConfig journal;
    RecordsConfig records;
    TelemetryConfig telemetry;
};

struct QueryConfig {
    std::int64_t max_concurrency = 20;
    Duration timeout = promql::EngineOptions{}.timeout;
    std::int64_t max_samples = static_cast<std::int64_t>(promql::EngineOptions{}.max_samples);
    Duration lookback = promql::EngineOptions{}.lookback;
    std::int64_t threads = 0;
    bool experimental = promql::EngineOptions{}.experimental;
};

struct OtlpConfig {
    std::string translation_strategy = "UnderscoreEscapingWithSuffixes";
    std::vector<std::string> promote_resource_attributes;
    bool promote_all_resource_attributes = false;
    bool promote_scope_metadata = false;
    bool keep_identifying_resource_attributes = false;
    bool convert_histograms_to_nhcb = false;
};

struct IngestConfig {
    config::Bytes max_body{api::PushLimits{}.max_body};
    config::Bytes max_decompressed{std::uint64_t{32} << 20};
    config::Bytes max_in_flight{api::PushLimits{}.max_in_flight};
    bool require_token = false;
    OtlpConfig otlp;
};

struct ApiConfig {
    bool admin = false;
    std::vector<std::string> cors_origins;
};

struct LogConfig {
    std::string level = "info";
    std::string format = "text";
};

struct RuntimeConfig {
    std::int64_t loops = 0;
    std::int64_t compute_threads = 0;
    Duration stop_grace{5'000};
};

// A receiver that gets everything that is ingested.
struct RemoteWriteConfig {
    std::string name;
    std::string url;
    std::string protocol = "1.0";
    std::map<std::string, std::string> labels;
    std::map<std::string, std::string> headers;
    std::string bearer_token;
    std::string user;
    std::string password;
    Duration timeout = collect::RemoteWriteOptions{}.timeout;
    std::int64_t shards = static_cast<std::int64_t>(collect::RemoteWriteOptions{}.shards);
    config::Bytes queue_size{collect::RemoteWriteOptions{}.max_queue_bytes};
};

struct Config {
    std::string folder;  // Of the file, not a key of it: relative paths start here. Empty: the working directory.
    std::vector<collect::ScrapeConfig> scrape_jobs;  // No key either: what `collect` and the files it names come to.

    ListenerConfig gateway{.listen = "127.0.0.1:8700", .allow_public = false, .tls = {}, .limits = {}};
    ListenerConfig console{.listen = "127.0.0.1:8701", .allow_public = false, .tls = {}, .limits = {}};
    AuthConfig auth;
    std::string data_dir;
    std::map<std::string, std::string> external_labels;
    std::string external_url;
    LogConfig log;
    std::vector<PoolConfig> pools;
    std::vector<ModelConfig> models;
    DegradationConfig degradation = default_degradation();
    TracingConfig tracing;
    AccessLogConfig access_log;
    RateLimitsConfig limits;
    RoutingConfig routing;
    CacheConfig cache;
    std::vector<BatchingConfig> batching;
    RulesConfig rules;
    heal::HealingConfig healing;
    CollectConfig collect;
    LogsConfig logs;
    StorageConfig storage;
    QueryConfig query;
    IngestConfig ingest;
    std::vector<RemoteWriteConfig> remote_write;
    EventsConfig events;
    ExportConfig exported;
    KafkaConfig kafka;
    FederationConfig federation;
    ApiConfig api;
    RuntimeConfig runtime;
};

// The structs' descriptions. Each checks what it can see; describe(Config) also what only the whole shows.
void describe(config::Fields& f, TlsConfig& c);
void describe(config::Fields& f, LimitsConfig& c);
void describe(config::Fields& f, ListenerConfig& c);
void describe(config::Fields& f, ReplicaConfig& c);
void describe(config::Fields& f, HealthConfig& c);
void describe(config::Fields& f, BalanceConfig& c);
void describe(config::Fields& f, ProviderConfig& c);
void describe(config::Fields& f, AdmissionConfig& c);
void describe(config::Fields& f, PoolConfig& c);
void check_provider(config::Fields& f, const PoolConfig& c);
void describe(config::Fields& f, FallbackConfig& c);
void describe(config::Fields& f, ModelConfig& c);
void describe(config::Fields& f, DegradationConditionConfig& c);
void describe(config::Fields& f, DegradationLevelConfig& c);
void describe(config::Fields& f, DegradationConfig& c);
void describe(config::Fields& f, TracingConfig& c);
void describe(config::Fields& f, AccessLogConfig& c);
void describe(config::Fields& f, RateLimitConfig& c);
void describe(config::Fields& f, NamedRateLimitConfig& c);
void describe(config::Fields& f, SharedLimitsConfig& c);
void describe(config::Fields& f, RateLimitsConfig& c);
void describe(config::Fields& f, RulesConfig& c);
void describe(config::Fields& f, MetricsStorageConfig& c);
void describe(config::Fields& f, JournalConfig& c);
void describe(config::Fields& f, StorageConfig& c);
void describe(config::Fields& f, QueryConfig& c);
void describe(config::Fields& f, OtlpConfig& c);
void describe(config::Fields& f, IngestConfig& c);
void describe(config::Fields& f, RemoteWriteConfig& c);
void describe(config::Fields& f, ApiConfig& c);
void describe(config::Fields& f, LogConfig& c);
void describe(config::Fields& f, RuntimeConfig& c);
void describe(config::Fields& f, Config& c);
// The models of all pools.
std::vector<std::string> served_models(const std::vector<PoolConfig>& pools);
// The same, and each pool as "pool:NAME".
std::vector<std::string> served_destinations(const std::vector<PoolConfig>& pools);
// What only the whole shows: each model is there once, and what is named is served by some pool.
void check_models(config::Fields& f, const Config& c);
// Whether the models that degradation switches to exist.
void check_degradation(config::Fields& f, const Config& c);
// No listener is open to other machines unless it asks for keys or is said to be.
void check_public(config::Fields& f, const Config& c);
// What only the whole list shows: each name is there once.
void check_remote_write(config::Fields& f, const std::vector<RemoteWriteConfig>& receivers);

struct LoadedConfig {
    Config config;  // Meaningful only without problems, as are the rules.
    alert::RuleFiles rules;
    std::vector<config::Problem> problems;  // Those of the files that it names too.

    bool ok() const { return problems.empty(); }
};

// Reads and checks a file and the rule files that it names, or a text as if it stood in that file.
LoadedConfig load_config(const std::string& path, const config::Environment& environment);
LoadedConfig read_config(std::string_view text, const std::string& path, const config::Environment& environment);

// What Stoker runs with when there is no file.
Config default_config();

// Listening on `listen` (HOST:PORT) instead, from the command line. Errors: InvalidArgument for a text that is no
// address, PermissionDenied for one beyond this machine that the configuration does not allow.
Result<Unit> override_gateway_listen(Config& config, const std::string& listen);
Result<Unit> override_console_listen(Config& config, const std::string& listen);

// The configured folder for data, or the default: /var/lib/stoker for root, else $XDG_DATA_HOME/stoker or
// ~/.local/share/stoker. Errors: NotFound when none of these variables is set.
Result<std::string> data_folder(const Config& config, const config::Environment& environment);

// The sections (top-level keys) in which two configurations differ, in the order of the documentation.
std::vector<std::string> changed_sections(const Config& before, const Config& after);
// Those of them that a running Stoker can't take over.
std::vector<std::string> restart_needed(const std::vector<std::string>& changed);

// The configuration as YAML, every value there, secrets masked.
std::string to_yaml(const Config& config);

// docs/configuration.md.
std::string configuration_markdown();

}  // namespace stoker::app
