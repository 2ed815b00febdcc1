// Docker's and Podman's lists of containers and networks as targets.
//
// Pure; answers come from outside: members that are missing or of another type count as empty.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "collect/discovery/source_configs.h"
#include "collect/discovery/target_labels.h"

namespace stoker::collect {

// Errors: InvalidArgument (not a list of containers or networks).
Result<TargetGroup> docker_group(std::string_view containers, std::string_view networks, const DockerSdConfig& config);

// Consul's answer about the instances of one service (/v1/health/service/NAME). Errors: InvalidArgument.
Result<TargetGroup> consul_group(std::string_view entries, const std::string& service, const ConsulSdConfig& config);

// The services of its catalog that the configuration wants. Errors: InvalidArgument.
Result<std::vector<std::string>> consul_services(std::string_view catalog, const ConsulSdConfig& config);

}  // namespace stoker::collect
