#include "collect/discovery/kubernetes_labels.h"

#include <cctype>

namespace stoker::collect::kubernetes {
namespace {

// A label's or annotation's name as the end of one of Prometheus'.
std::string sanitized(std::string name) {
    for (char& c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 || (c & 0x80) != 0) c = '_';
    }
    return name;
}

void add_map(LabelMap& labels, const std::string& prefix, const std::string& kind, const Json& map) {
    if (!map.is_object()) return;
    for (const auto& [name, value] : map.items()) {
        if (!value.is_string()) continue;
        const std::string ending = sanitized(name);
        add(labels, prefix + "_" + kind + "_" + ending, value.get<std::string>());
        add(labels, prefix + "_" + kind + "present_" + ending, "true");
    }
}

std::string ready(const Json& pod) {
    for (const Json& condition : list(pod, {"status", "conditions"})) {
        if (text(condition, {"type"}) != "Ready") continue;
        std::string status = text(condition, {"status"});
        for (char& c : status) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        return status;
    }
    return "unknown";
}

}  // namespace

const Json& at(const Json& object, std::initializer_list<std::string_view> path) {
    static const Json none;
    const Json* found = &object;
    for (const std::string_view name : path) {
        if (!found->is_object()) return none;
        const auto member = found->find(std::string(name));
        if (member == found->end()) return none;
        found = &*member;
    }
    return *found;
}

std::string text(const Json& object, std::initializer_list<std::string_view> path) {
    const Json& found = at(object, path);
    if (found.is_string()) return found.get<std::string>();
    return found.is_number_integer() ? std::to_string(found.get<std::int64_t>()) : std::string{};
}

const Json& list(const Json& object, std::initializer_list<std::string_view> path) {
    static const Json none = Json::array();
    const Json& found = at(object, path);
    return found.is_array() ? found : none;
}

std::string host_and_port(const std::string& host, const std::string& port) {
    return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
}

void add(LabelMap& labels, const std::string& suffix, std::string value) {
    if (!value.empty()) labels.insert_or_assign(std::string(kMeta) + suffix, std::move(value));
}

void add_always(LabelMap& labels, const std::string& suffix, std::string value) {
    labels.insert_or_assign(std::string(kMeta) + suffix, std::move(value));
}

void add_metadata(LabelMap& labels, const std::string& prefix, const Json& object) {
    add_map(labels, prefix, "label", at(object, {"metadata", "labels"}));
    add_map(labels, prefix, "annotation", at(object, {"metadata", "annotations"}));
}

LabelMap pod_labels(const Json& pod) {
    LabelMap labels;
    add(labels, "namespace", text(pod, {"metadata", "namespace"}));
    add(labels, "pod_name", text(pod, {"metadata", "name"}));
    add(labels, "pod_ip", text(pod, {"status", "podIP"}));
    add(labels, "pod_ready", ready(pod));
    add(labels, "pod_phase", text(pod, {"status", "phase"}));
    add(labels, "pod_node_name", text(pod, {"spec", "nodeName"}));
    add(labels, "pod_host_ip", text(pod, {"status", "hostIP"}));
    add(labels, "pod_uid", text(pod, {"metadata", "uid"}));
    add_metadata(labels, "pod", pod);
    for (const Json& owner : list(pod, {"metadata", "ownerReferences"})) {
        if (at(owner, {"controller"}) != Json(true)) continue;
        add(labels, "pod_controller_kind", text(owner, {"kind"}));
        add(labels, "pod_controller_name", text(owner, {"name"}));
    }
    return labels;
}

LabelMap service_labels(const Json& service) {
    LabelMap labels;
    add(labels, "namespace", text(service, {"metadata", "namespace"}));
    add(labels, "service_name", text(service, {"metadata", "name"}));
    add_metadata(labels, "service", service);
    return labels;
}

std::string container_id(const Json& pod, const std::string& container) {
    for (const char* statuses : {"containerStatuses", "initContainerStatuses"}) {
        for (const Json& status : list(pod, {"status", statuses})) {
            if (text(status, {"name"}) == container) return text(status, {"containerID"});
        }
    }
    return {};
}

}  // namespace stoker::collect::kubernetes
