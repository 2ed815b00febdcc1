// Ingresses as targets: one a rule and path, at the rule's host. Role `ingress` is for probes from outside.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "collect/discovery/target_labels.h"

namespace stoker::collect {

TargetGroup ingress_group(const nlohmann::json& ingress);

}  // namespace stoker::collect
