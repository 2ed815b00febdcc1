// Targets from DNS: the addresses of a name, or the services that its SRV records name.
#pragma once

#include "collect/discovery/discoverer.h"
#include "collect/discovery/source_configs.h"

namespace stoker::collect {

std::shared_ptr<Discoverer> dns_discoverer(DnsSdConfig config, DiscoveryContext context);

}  // namespace stoker::collect
