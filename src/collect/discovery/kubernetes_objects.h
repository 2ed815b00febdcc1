// Kubernetes' objects as targets, with the labels that Prometheus gives them.
//
// Pure; objects are what the API server sends, as JSON: members that are missing or of another type count as empty.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "collect/discovery/target_labels.h"

namespace stoker::collect {

// By "NAMESPACE/NAME".
using KubernetesObjects = std::map<std::string, nlohmann::json, std::less<>>;

// Of all resources that a role looks at, by their plural: "pods", "services", ...
using KubernetesWorld = std::map<std::string, KubernetesObjects, std::less<>>;

// The resources of a role; the first of them makes the targets.
std::vector<std::string> kubernetes_resources(std::string_view role);

// "NAMESPACE/NAME" of an object, and what of it is kept: nothing that only its managers want.
std::string kubernetes_key(const nlohmann::json& object);
void strip_kubernetes_object(nlohmann::json& object);

std::vector<TargetGroup> kubernetes_groups(std::string_view role, const KubernetesWorld& world);

}  // namespace stoker::collect
