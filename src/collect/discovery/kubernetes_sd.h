// Targets from a Kubernetes cluster, followed as it changes.
#pragma once

#include "collect/discovery/discoverer.h"
#include "collect/discovery/kubernetes_config.h"

namespace stoker::collect {

std::shared_ptr<Discoverer> kubernetes_discoverer(KubernetesSdConfig config, DiscoveryContext context);

}  // namespace stoker::collect
