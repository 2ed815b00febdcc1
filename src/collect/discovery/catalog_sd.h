// Targets from a container daemon and from Consul.
#pragma once

#include "collect/discovery/discoverer.h"
#include "collect/discovery/source_configs.h"

namespace stoker::collect {

// Errors: InvalidArgument (address, certificates).
Result<std::shared_ptr<Discoverer>> docker_discoverer(DockerSdConfig config, DiscoveryContext context);
Result<std::shared_ptr<Discoverer>> consul_discoverer(ConsulSdConfig config, DiscoveryContext context);

}  // namespace stoker::collect
