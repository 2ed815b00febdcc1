#include "collect/discovery/kubernetes_endpoints.h"

#include <cctype>
#include <set>

#include "collect/discovery/kubernetes_labels.h"

namespace stoker::collect {
namespace {

using namespace kubernetes;

// The pods behind a group's addresses, and which of their ports the endpoints cover.
class SeenPods {
public:
    explicit SeenPods(const KubernetesObjects& pods) : pods_(pods) {}

    // Adds what is known of the pod that an address points to. False: it points to none.
    bool join(LabelMap& target, const Json& reference, const std::string& space, const std::string& port) {
        if (text(reference, {"kind"}) != "Pod") return false;
        std::string at_space = text(reference, {"namespace"});
        if (at_space.empty()) at_space = space;
        const auto pod = pods_.find(at_space + "/" + text(reference, {"name"}));
        if (pod == pods_.end()) return false;
        auto& covered = covered_[&pod->second];
        target.merge(pod_labels(pod->second));
        for (const auto& [container, declared] : ports_of(pod->second)) {
            if (text(*declared, {"containerPort"}) != port) continue;
            add_port(target, pod->second, *container, *declared);
            covered.insert(declared);
            break;
        }
        return true;
    }

    // Ports of those pods that no endpoint covers are targets as well.
    void add_uncovered(TargetGroup& group) const {
        for (const auto& [pod, covered] : covered_) {
            const std::string ip = text(*pod, {"status", "podIP"});
            if (ip.empty()) continue;
            for (const auto& [container, declared] : ports_of(*pod)) {
                if (covered.contains(declared)) continue;
                LabelMap target = pod_labels(*pod);
                target.insert_or_assign("__address__", host_and_port(ip, text(*declared, {"containerPort"})));
                add_port(target, *pod, *container, *declared);
                group.targets.push_back(std::move(target));
            }
        }
    }

private:
    static std::vector<std::pair<const Json*, const Json*>> ports_of(const Json& pod) {
        std::vector<std::pair<const Json*, const Json*>> found;
        for (const Json& container : list(pod, {"spec", "containers"})) {
            for (const Json& port : list(container, {"ports"})) found.emplace_back(&container, &port);
        }
        return found;
    }

    static void add_port(LabelMap& target, const Json& pod, const Json& container, const Json& port) {
        const std::string name = text(container, {"name"});
        add(target, "pod_container_name", name);
        add(target, "pod_container_id", container_id(pod, name));
        add(target, "pod_container_image", text(container, {"image"}));
        add(target, "pod_container_port_name", text(port, {"name"}));
        add(target, "pod_container_port_number", text(port, {"containerPort"}));
        add(target, "pod_container_port_protocol", text(port, {"protocol"}));
    }

    const KubernetesObjects& pods_;
    std::map<const Json*, std::set<const Json*>> covered_;
};

void add_service(TargetGroup& group, const std::string& key, const EndpointNeighbours& around) {
    const auto service = around.services.find(key);
    if (service != around.services.end()) group.labels.merge(service_labels(service->second));
}

void add_endpoint(TargetGroup& group, SeenPods& pods, const std::string& space, const Json& address, const Json& port,
                  bool ready) {
    LabelMap target;
    const std::string number = text(port, {"port"});
    target.insert_or_assign("__address__", host_and_port(text(address, {"ip"}), number));
    add(target, "endpoint_port_name", text(port, {"name"}));
    add(target, "endpoint_port_protocol", text(port, {"protocol"}));
    add(target, "endpoint_ready", ready ? "true" : "false");
    const Json& reference = at(address, {"targetRef"});
    add(target, "endpoint_address_target_kind", text(reference, {"kind"}));
    add(target, "endpoint_address_target_name", text(reference, {"name"}));
    add(target, "endpoint_node_name", text(address, {"nodeName"}));
    add(target, "endpoint_hostname", text(address, {"hostname"}));
    pods.join(target, reference, space, number);
    group.targets.push_back(std::move(target));
}

std::string yes_or_no(const Json& object, std::initializer_list<std::string_view> path) {
    const Json& found = at(object, path);
    return found.is_boolean() ? (found.get<bool>() ? "true" : "false") : "";
}

void add_slice_endpoint(TargetGroup& group, SeenPods& pods, const std::string& space, const Json& endpoint,
                        const std::string& ip, const Json& port) {
    LabelMap target;
    const std::string number = text(port, {"port"});
    target.insert_or_assign("__address__", number.empty() ? ip : host_and_port(ip, number));
    add(target, "endpointslice_port_name", text(port, {"name"}));
    add(target, "endpointslice_port_protocol", text(port, {"protocol"}));
    add(target, "endpointslice_port", number);
    add(target, "endpointslice_port_app_protocol", text(port, {"appProtocol"}));
    add(target, "endpointslice_endpoint_conditions_ready", yes_or_no(endpoint, {"conditions", "ready"}));
    add(target, "endpointslice_endpoint_conditions_serving", yes_or_no(endpoint, {"conditions", "serving"}));
    add(target, "endpointslice_endpoint_conditions_terminating", yes_or_no(endpoint, {"conditions", "terminating"}));
    add(target, "endpointslice_endpoint_hostname", text(endpoint, {"hostname"}));
    const Json& reference = at(endpoint, {"targetRef"});
    add(target, "endpointslice_address_target_kind", text(reference, {"kind"}));
    add(target, "endpointslice_address_target_name", text(reference, {"name"}));
    add(target, "endpointslice_endpoint_node_name", text(endpoint, {"nodeName"}));
    add(target, "endpointslice_endpoint_zone", text(endpoint, {"zone"}));
    for (const char* topology : {"topology", "deprecatedTopology"}) {
        const Json& map = at(endpoint, {topology});
        if (!map.is_object()) continue;
        for (const auto& [name, value] : map.items()) {
            std::string ending = name;
            for (char& c : ending) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
            add(target, "endpointslice_endpoint_topology_" + ending, value.is_string() ? value.get<std::string>() : "");
            add(target, "endpointslice_endpoint_topology_present_" + ending, "true");
        }
    }
    pods.join(target, reference, space, number);
    group.targets.push_back(std::move(target));
}

}  // namespace

TargetGroup endpoints_group(const Json& endpoints, const EndpointNeighbours& around) {
    TargetGroup group;
    const std::string space = text(endpoints, {"metadata", "namespace"});
    add(group.labels, "namespace", space);
    add(group.labels, "endpoints_name", text(endpoints, {"metadata", "name"}));
    add_metadata(group.labels, "endpoints", endpoints);
    add_service(group, kubernetes_key(endpoints), around);
    SeenPods pods(around.pods);
    for (const Json& subset : list(endpoints, {"subsets"})) {
        for (const Json& port : list(subset, {"ports"})) {
            for (const Json& address : list(subset, {"addresses"})) {
                add_endpoint(group, pods, space, address, port, true);
            }
            for (const Json& address : list(subset, {"notReadyAddresses"})) {
                add_endpoint(group, pods, space, address, port, false);
            }
        }
    }
    pods.add_uncovered(group);
    return group;
}

TargetGroup endpointslice_group(const Json& slice, const EndpointNeighbours& around) {
    TargetGroup group;
    const std::string space = text(slice, {"metadata", "namespace"});
    add(group.labels, "namespace", space);
    add(group.labels, "endpointslice_name", text(slice, {"metadata", "name"}));
    add(group.labels, "endpointslice_address_type", text(slice, {"addressType"}));
    add_metadata(group.labels, "endpointslice", slice);
    add_service(group, space + "/" + text(slice, {"metadata", "labels", "kubernetes.io/service-name"}), around);
    SeenPods pods(around.pods);
    for (const Json& port : list(slice, {"ports"})) {
        for (const Json& endpoint : list(slice, {"endpoints"})) {
            for (const Json& address : list(endpoint, {"addresses"})) {
                if (address.is_string()) {
                    add_slice_endpoint(group, pods, space, endpoint, address.get<std::string>(), port);
                }
            }
        }
    }
    pods.add_uncovered(group);
    return group;
}

}  // namespace stoker::collect
