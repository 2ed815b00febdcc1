#include "collect/discovery/kubernetes_objects.h"

#include "collect/discovery/kubernetes_endpoints.h"
#include "collect/discovery/kubernetes_ingress.h"
#include "collect/discovery/kubernetes_labels.h"

namespace stoker::collect {
namespace {

using namespace kubernetes;

// One target a declared port; one without a port for a container that declares none.
void add_container(TargetGroup& group, const Json& pod, const Json& container, bool init) {
    const std::string ip = text(pod, {"status", "podIP"});
    const std::string name = text(container, {"name"});
    LabelMap labels;
    add(labels, "pod_container_name", name);
    add(labels, "pod_container_id", container_id(pod, name));
    add(labels, "pod_container_image", text(container, {"image"}));
    add(labels, "pod_container_init", init ? "true" : "false");
    const Json& ports = list(container, {"ports"});
    if (ports.empty()) {
        labels.insert_or_assign("__address__", ip.find(':') == std::string::npos ? ip : "[" + ip + "]");
        group.targets.push_back(std::move(labels));
        return;
    }
    for (const Json& port : ports) {
        LabelMap target = labels;
        const std::string number = text(port, {"containerPort"});
        target.insert_or_assign("__address__", host_and_port(ip, number));
        add(target, "pod_container_port_name", text(port, {"name"}));
        add(target, "pod_container_port_number", number);
        add(target, "pod_container_port_protocol", text(port, {"protocol"}));
        group.targets.push_back(std::move(target));
    }
}

TargetGroup pod_group(const Json& pod) {
    TargetGroup group;
    group.labels = pod_labels(pod);
    if (text(pod, {"status", "podIP"}).empty()) return group;  // Not started yet, or evicted.
    for (const Json& container : list(pod, {"spec", "containers"})) add_container(group, pod, container, false);
    for (const Json& container : list(pod, {"spec", "initContainers"})) add_container(group, pod, container, true);
    return group;
}

TargetGroup service_group(const Json& service) {
    TargetGroup group;
    group.labels = service_labels(service);
    const std::string host =
        text(service, {"metadata", "name"}) + "." + text(service, {"metadata", "namespace"}) + ".svc";
    const std::string type = text(service, {"spec", "type"});
    for (const Json& port : list(service, {"spec", "ports"})) {
        LabelMap target;
        const std::string number = text(port, {"port"});
        target.insert_or_assign("__address__", host_and_port(host, number));
        add(target, "service_port_name", text(port, {"name"}));
        add(target, "service_port_number", number);
        add(target, "service_port_protocol", text(port, {"protocol"}));
        add(target, "service_type", type);
        if (type == "ExternalName") {
            add(target, "service_external_name", text(service, {"spec", "externalName"}));
        } else {
            add(target, "service_cluster_ip", text(service, {"spec", "clusterIP"}));
        }
        if (type == "LoadBalancer") add(target, "service_loadbalancer_ip", text(service, {"spec", "loadBalancerIP"}));
        group.targets.push_back(std::move(target));
    }
    return group;
}

// The address that Prometheus prefers.
std::string node_address(const Json& node) {
    const Json& addresses = list(node, {"status", "addresses"});
    for (const char* type : {"InternalIP", "InternalDNS", "ExternalIP", "ExternalDNS", "LegacyHostIP", "Hostname"}) {
        for (const Json& address : addresses) {
            if (text(address, {"type"}) == type) return text(address, {"address"});
        }
    }
    return {};
}

TargetGroup node_group(const Json& node) {
    TargetGroup group;
    add(group.labels, "node_name", text(node, {"metadata", "name"}));
    add(group.labels, "node_provider_id", text(node, {"spec", "providerID"}));
    add_metadata(group.labels, "node", node);
    const std::string address = node_address(node);
    if (address.empty()) return group;
    LabelMap target;
    std::string port = text(node, {"status", "daemonEndpoints", "kubeletEndpoint", "Port"});
    if (port.empty()) port = "0";
    target.insert_or_assign("__address__", host_and_port(address, port));
    target.insert_or_assign("instance", text(node, {"metadata", "name"}));
    for (const Json& one : list(node, {"status", "addresses"})) {
        const std::string suffix = "node_address_" + text(one, {"type"});
        if (target.contains(std::string(kMeta) + suffix)) continue;
        add(target, suffix, text(one, {"address"}));
    }
    group.targets.push_back(std::move(target));
    return group;
}

const KubernetesObjects& objects(const KubernetesWorld& world, std::string_view resource) {
    static const KubernetesObjects none;
    const auto found = world.find(resource);
    return found == world.end() ? none : found->second;
}

}  // namespace

std::vector<std::string> kubernetes_resources(std::string_view role) {
    if (role == "pod") return {"pods"};
    if (role == "service") return {"services"};
    if (role == "node") return {"nodes"};
    if (role == "ingress") return {"ingresses"};
    return {role == "endpoints" ? "endpoints" : "endpointslices", "services", "pods"};
}

std::string kubernetes_key(const Json& object) {
    return text(object, {"metadata", "namespace"}) + "/" + text(object, {"metadata", "name"});
}

void strip_kubernetes_object(Json& object) {
    const auto metadata = object.find("metadata");
    if (metadata == object.end() || !metadata->is_object()) return;
    metadata->erase("managedFields");
    const auto spec = object.find("spec");
    if (spec != object.end() && spec->is_object()) {
        for (const char* heavy : {"volumes", "tolerations", "affinity", "podCIDRs"}) spec->erase(heavy);
    }
    const auto status = object.find("status");
    if (status != object.end() && status->is_object()) status->erase("images");
}

std::vector<TargetGroup> kubernetes_groups(std::string_view role, const KubernetesWorld& world) {
    const std::string resource = kubernetes_resources(role).front();
    std::vector<TargetGroup> groups;
    for (const auto& [key, object] : objects(world, resource)) {
        TargetGroup group;
        if (role == "pod") {
            group = pod_group(object);
        } else if (role == "service") {
            group = service_group(object);
        } else if (role == "node") {
            group = node_group(object);
        } else if (role == "ingress") {
            group = ingress_group(object);
        } else {
            const EndpointNeighbours around{objects(world, "services"), objects(world, "pods")};
            group = role == "endpoints" ? endpoints_group(object, around) : endpointslice_group(object, around);
        }
        group.source = std::string(role) + "/" + key;
        groups.push_back(std::move(group));
    }
    return groups;
}

}  // namespace stoker::collect
