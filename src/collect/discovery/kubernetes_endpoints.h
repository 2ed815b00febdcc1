// Endpoints and EndpointSlices as targets: each address and port, with what is known of the pod and the service behind.
#pragma once

#include "collect/discovery/kubernetes_objects.h"

namespace stoker::collect {

struct EndpointNeighbours {
    const KubernetesObjects& services;
    const KubernetesObjects& pods;
};

TargetGroup endpoints_group(const nlohmann::json& endpoints, const EndpointNeighbours& around);
TargetGroup endpointslice_group(const nlohmann::json& slice, const EndpointNeighbours& around);

}  // namespace stoker::collect
