// The parts that Prometheus' labels of Kubernetes objects are made of.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "collect/discovery/label_map.h"

namespace stoker::collect::kubernetes {

using Json = nlohmann::json;

inline constexpr std::string_view kMeta = "__meta_kubernetes_";

// The member that a path of names leads to; null where there is none.
const Json& at(const Json& object, std::initializer_list<std::string_view> path);
// A text or a number as text; "" for anything else.
std::string text(const Json& object, std::initializer_list<std::string_view> path);
// The members of a list; an empty one for anything else.
const Json& list(const Json& object, std::initializer_list<std::string_view> path);

// "[::1]:80" and "10.0.0.1:80".
std::string host_and_port(const std::string& host, const std::string& port);

// Adds __meta_kubernetes_<suffix>, unless `value` is empty.
void add(LabelMap& labels, const std::string& suffix, std::string value);
// The same of an empty one too: some labels say that there is none.
void add_always(LabelMap& labels, const std::string& suffix, std::string value);

// <prefix>_label_*, _labelpresent_*, _annotation_*, _annotationpresent_*.
void add_metadata(LabelMap& labels, const std::string& prefix, const Json& object);

// Namespace, name and the rest of a pod, as its own targets and those of its endpoints get it.
LabelMap pod_labels(const Json& pod);
LabelMap service_labels(const Json& service);

// The id that the status has for a container.
std::string container_id(const Json& pod, const std::string& container);

}  // namespace stoker::collect::kubernetes
