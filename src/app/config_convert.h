// From the configuration to the option structs of the modules. Pure.
#pragma once

#include <string>

#include "app/config.h"
#include "base/log.h"

namespace stoker::app {

net::ServerOptions server_options(const ListenerConfig& listener, const std::string& name, const std::string& folder);
gateway::GatewayOptions gateway_options(const Config& config);
gateway::Routes routes(const Config& config);
tsdb::StoreOptions metrics_options(const Config& config);
journal::Options journal_options(const Config& config);
records::StoreOptions records_options(const Config& config);
// Without own_ports, which are known only once the listeners are bound.
collect::CollectOptions collect_options(const Config& config);

// The configured policies, or the default one if there are none.
heal::HealingConfig healing(const Config& config);

log::Level log_level(const LogConfig& config);
log::Format log_format(const LogConfig& config);

}  // namespace stoker::app
