// From the configuration to the option structs of the modules. Pure.
#pragma once

#include <string>

#include "api/remote_read.h"
#include "api/traces_receiver.h"
#include "app/config.h"
#include "base/log.h"
#include "collect/host/host_options.h"
#include "collect/push/influx_receiver.h"
#include "collect/push/json_receiver.h"
#include "collect/push/otlp_convert.h"
#include "collect/push/remote_write_receiver.h"
#include "collect/send/remote_write_sender.h"
#include "collect/source_rounds.h"
#include "gateway/auth/auth_options.h"

namespace stoker::app {

net::ServerOptions server_options(const ListenerConfig& listener, const std::string& name, const std::string& folder);
gateway::GatewayOptions gateway_options(const Config& config);
gateway::BalanceOptions balance_options(const BalanceConfig& config);
gateway::ProviderOptions provider_options(const ProviderConfig& config, const std::string& folder);
// What a key `proxy` means: http://HOST:PORT, "none", "environment" (HTTPS_PROXY, NO_PROXY); its host is empty if there
// is none. Errors: InvalidArgument.
Result<net::ProxyOptions> configured_proxy(const std::string& text);
gateway::AdmissionOptions admission_options(const AdmissionConfig& config);
gateway::Routes routes(const Config& config);
gateway::ModelOptions model_options(const ModelConfig& config);
TraceExportOptions trace_options(const Config& config);
// Where the access log is, from the folder of the configuration; "" and "-" as they are.
std::string access_log_path(const Config& config);
gateway::DegradationOptions degradation_options(const Config& config);
// Tenants, and the keys that the file holds.
gateway::AuthOptions auth_options(const Config& config);
gateway::TokenIssuerOptions token_issuer_options(const JwtIssuerConfig& config);
std::vector<IssuerSource> issuer_sources(const Config& config);

// Relative paths are by the configuration file's folder. Empty stays empty.
std::string in_config_folder(const Config& config, const std::string& path);
gateway::LimitsOptions limits_options(const Config& config);
std::optional<gateway::SharedLimitsOptions> shared_limits_options(const Config& config);
tsdb::StoreOptions metrics_options(const Config& config);
promql::EngineOptions engine_options(const Config& config);
api::PushLimits push_limits(const Config& config);
api::RemoteReadOptions remote_read_options(const Config& config);
collect::RemoteWriteReceiverOptions remote_write_options(const Config& config);
// Errors: InvalidArgument for an address that is none.
Result<collect::RemoteWriteOptions> sender_options(const RemoteWriteConfig& config,
                                                   const std::map<std::string, std::string>& external_labels);
// Where people reach the console: `external_url`, or where it listens.
std::string external_url(const Config& config);
collect::OtlpOptions otlp_options(const Config& config);
collect::InfluxOptions influx_options(const Config& config);
collect::JsonOptions json_options(const Config& config);
api::TracesOptions traces_options(const Config& config);
journal::Options journal_options(const Config& config);
records::StoreOptions records_options(const Config& config);
records::TelemetryOptions telemetry_options(const Config& config);
// Without own_ports, which are known only once the listeners are bound.
collect::CollectOptions collect_options(const Config& config);

// How this machine is measured.
collect::HostOptions host_options(const Config& config);
collect::SourceSchedule host_schedule(const Config& config);

// The configured policies, or the default one if there are none.
heal::HealingConfig healing(const Config& config);

log::Level log_level(const LogConfig& config);
log::Format log_format(const LogConfig& config);

}  // namespace stoker::app
