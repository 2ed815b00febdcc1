#include "collect/discovery/catalog_objects.h"

#include <algorithm>
#include <cctype>

#include "collect/discovery/kubernetes_labels.h"

namespace stoker::collect {
namespace {

using kubernetes::at;
using kubernetes::host_and_port;
using kubernetes::Json;
using kubernetes::list;
using kubernetes::text;

std::string sanitized(std::string name) {
    for (char& c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    }
    return name;
}

void add(LabelMap& labels, const std::string& name, std::string value) {
    if (!value.empty()) labels.insert_or_assign("__meta_" + name, std::move(value));
}

void add_map(LabelMap& labels, const std::string& prefix, const Json& map) {
    if (!map.is_object()) return;
    for (const auto& [name, value] : map.items()) {
        if (value.is_string()) add(labels, prefix + sanitized(name), value.get<std::string>());
    }
}

std::string flag(const Json& object, std::string_view name) {
    return at(object, {name}) == Json(true) ? "true" : "false";
}

std::map<std::string, LabelMap> network_labels(const Json& networks) {
    std::map<std::string, LabelMap> out;
    for (const Json& network : networks) {
        const std::string id = text(network, {"Id"});
        if (id.empty()) continue;
        LabelMap labels;
        add(labels, "docker_network_id", id);
        add(labels, "docker_network_name", text(network, {"Name"}));
        add(labels, "docker_network_scope", text(network, {"Scope"}));
        add(labels, "docker_network_internal", flag(network, "Internal"));
        add(labels, "docker_network_ingress", flag(network, "Ingress"));
        add_map(labels, "docker_network_label_", at(network, {"Labels"}));
        out.insert_or_assign(id, std::move(labels));
    }
    return out;
}

// The targets of a container in one network: one a TCP port, or one at the default port.
void add_container(TargetGroup& group, const Json& container, const LabelMap& common, const std::string& ip,
                   const DockerSdConfig& config) {
    bool any = false;
    const bool host = text(container, {"HostConfig", "NetworkMode"}) == "host";
    for (const Json& port : list(container, {"Ports"})) {
        if (text(port, {"Type"}) != "tcp") continue;
        any = true;
        LabelMap labels = common;
        add(labels, "docker_port_private", text(port, {"PrivatePort"}));
        const std::string shown = text(port, {"PublicPort"});
        if (!shown.empty() && shown != "0") {
            add(labels, "docker_port_public", shown);
            add(labels, "docker_port_public_ip", text(port, {"IP"}));
        }
        labels.insert_or_assign("__address__", host_and_port(ip, text(port, {"PrivatePort"})));
        group.targets.push_back(std::move(labels));
    }
    if (any) return;
    LabelMap labels = common;
    labels.insert_or_assign("__address__",
                            host ? config.host_networking_host : host_and_port(ip, std::to_string(config.port)));
    group.targets.push_back(std::move(labels));
}

Error no_list(const std::string& what) {
    return {Errc::InvalidArgument, "the answer is not a list of " + what};
}

}  // namespace

Result<TargetGroup> docker_group(std::string_view containers, std::string_view networks, const DockerSdConfig& config) {
    const Json found = Json::parse(containers, nullptr, false);
    const Json nets = Json::parse(networks, nullptr, false);
    if (!found.is_array()) return no_list("containers");
    if (!nets.is_array()) return no_list("networks");
    const auto by_id = network_labels(nets);
    TargetGroup group;
    group.source = "docker";
    for (const Json& container : found) {
        LabelMap common;
        add(common, "docker_container_id", text(container, {"Id"}));
        const Json& names = list(container, {"Names"});
        if (!names.empty() && names[0].is_string()) add(common, "docker_container_name", names[0].get<std::string>());
        add(common, "docker_container_network_mode", text(container, {"HostConfig", "NetworkMode"}));
        add_map(common, "docker_container_label_", at(container, {"Labels"}));
        const Json& attached = at(container, {"NetworkSettings", "Networks"});
        if (!attached.is_object()) continue;
        for (const auto& [name, network] : attached.items()) {  // In order of name.
            LabelMap labels = common;
            const std::string ip = text(network, {"IPAddress"});
            add(labels, "docker_network_ip", ip);
            const auto known = by_id.find(text(network, {"NetworkID"}));
            if (known != by_id.end()) labels.insert(known->second.begin(), known->second.end());
            add_container(group, container, labels, ip, config);
            if (config.match_first_network) break;
        }
    }
    return group;
}

Result<std::vector<std::string>> consul_services(std::string_view catalog, const ConsulSdConfig& config) {
    const Json found = Json::parse(catalog, nullptr, false);
    if (!found.is_object()) return no_list("services");
    std::vector<std::string> names;
    for (const auto& [name, tags] : found.items()) {
        const auto& wanted = config.services;
        if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
        const bool tagged = std::all_of(config.tags.begin(), config.tags.end(), [&tags = tags](const std::string& tag) {
            return tags.is_array() && std::find(tags.begin(), tags.end(), Json(tag)) != tags.end();
        });
        if (tagged) names.push_back(name);
    }
    return names;
}

Result<TargetGroup> consul_group(std::string_view entries, const std::string& service, const ConsulSdConfig& config) {
    const Json found = Json::parse(entries, nullptr, false);
    if (!found.is_array()) return no_list("instances of the service " + service);
    TargetGroup group;
    group.source = service;
    for (const Json& entry : found) {
        std::string tags = config.tag_separator;
        for (const Json& tag : list(entry, {"Service", "Tags"})) {
            if (tag.is_string()) tags += tag.get<std::string>() + config.tag_separator;
        }
        std::string health = "passing";
        for (const Json& check : list(entry, {"Checks"})) {
            const std::string status = text(check, {"Status"});
            if (text(check, {"CheckID"}).starts_with("_node_maintenance") ||
                text(check, {"CheckID"}).starts_with("_service_maintenance:")) {
                health = "maintenance";
            } else if (health != "maintenance" && status == "critical") {
                health = "critical";
            } else if (health == "passing" && status == "warning") {
                health = "warning";
            }
        }
        LabelMap labels;
        const std::string node_address = text(entry, {"Node", "Address"});
        const std::string own = text(entry, {"Service", "Address"});
        const std::string port = text(entry, {"Service", "Port"});
        labels.insert_or_assign("__address__", host_and_port(own.empty() ? node_address : own, port));
        add(labels, "consul_address", node_address);
        add(labels, "consul_dc", text(entry, {"Node", "Datacenter"}));
        add(labels, "consul_node", text(entry, {"Node", "Node"}));
        add(labels, "consul_namespace", text(entry, {"Service", "Namespace"}));
        add(labels, "consul_partition", text(entry, {"Service", "Partition"}));
        add(labels, "consul_tags", tags);
        add(labels, "consul_health", health);
        add(labels, "consul_service", service);
        add(labels, "consul_service_address", own);
        add(labels, "consul_service_id", text(entry, {"Service", "ID"}));
        add(labels, "consul_service_port", port);
        add_map(labels, "consul_metadata_", at(entry, {"Node", "Meta"}));
        add_map(labels, "consul_service_metadata_", at(entry, {"Service", "Meta"}));
        add_map(labels, "consul_tagged_address_", at(entry, {"Node", "TaggedAddresses"}));
        group.targets.push_back(std::move(labels));
    }
    return group;
}

}  // namespace stoker::collect
