#include "collect/host/container_names.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace stoker::collect {
namespace {

using nlohmann::json;

constexpr std::size_t kIdLength = 64;

bool is_id(std::string_view text) {
    return text.size() == kIdLength && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// A text member; "" if it is not there or no text.
std::string text_of(const json& object, const char* key) {
    if (!object.is_object()) return "";
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

json member(const json& object, const char* key) {
    if (!object.is_object()) return {};
    const auto found = object.find(key);
    return found != object.end() ? *found : json();
}

// The first that is set.
std::string first_of(const json& object, std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
        std::string text = text_of(object, key);
        if (!text.empty()) return text;
    }
    return "";
}

// "pod" and a uid, its dashes as underscores under systemd.
std::string pod_uid_of(std::string_view part) {
    if (part.ends_with(".slice")) part.remove_suffix(6);
    const std::size_t at = part.rfind("pod");
    if (at == std::string_view::npos || (at != 0 && part[at - 1] != '-')) return "";
    std::string uid(part.substr(at + 3));
    std::replace(uid.begin(), uid.end(), '_', '-');
    constexpr std::size_t kShortest = 32;  // Static pods have a hash without dashes.
    const bool is_uid = uid.size() >= kShortest && uid.find_first_not_of("0123456789abcdef-") == std::string::npos;
    return is_uid ? uid : "";
}

}  // namespace

ContainerPath parse_container_path(std::string_view path) {
    ContainerPath found;
    const auto parts = split(path, '/');
    for (const std::string_view part : parts) {
        if (found.pod_uid.empty()) found.pod_uid = pod_uid_of(part);
    }
    std::string_view last = parts.back();
    const bool scope = last.ends_with(".scope");
    if (scope) {
        last.remove_suffix(6);
        const std::size_t dash = last.rfind('-');  // docker-, cri-containerd-, crio-, libpod-, nerdctl-.
        if (dash != std::string_view::npos) last.remove_prefix(dash + 1);
    }
    // Podman's conmon has the id of the container that it watches.
    const bool watcher = parts.back().find("conmon") != std::string_view::npos;
    if (!is_id(last) || watcher) return {};
    found.id = last;
    return found;
}

ContainerName parse_docker_state(std::string_view text) {
    const json state = json::parse(text, nullptr, false);
    ContainerName name;
    name.name = text_of(state, "Name");
    if (name.name.starts_with('/')) name.name.erase(0, 1);
    const json config = member(state, "Config");
    name.image = text_of(config, "Image");
    const json labels = member(config, "Labels");
    name.k8s_container = text_of(labels, "io.kubernetes.container.name");
    name.k8s_pod = text_of(labels, "io.kubernetes.pod.name");
    name.k8s_namespace = text_of(labels, "io.kubernetes.pod.namespace");
    name.pause = text_of(labels, "io.kubernetes.docker.type") == "podsandbox";
    return name;
}

ContainerName parse_oci_config(std::string_view text) {
    const json config = json::parse(text, nullptr, false);
    const json annotations = member(config, "annotations");
    ContainerName name;
    name.k8s_container = first_of(annotations, {"io.kubernetes.cri.container-name", "io.kubernetes.container.name"});
    name.k8s_pod = first_of(annotations, {"io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"});
    name.k8s_namespace = first_of(annotations, {"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"});
    name.image = first_of(annotations, {"io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName"});
    name.name = first_of(annotations, {"nerdctl/name", "io.kubernetes.cri-o.Name"});
    name.pause =
        first_of(annotations, {"io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType"}) == "sandbox";
    return name;
}

ContainerName read_container_name(HostContext& host, const ContainerPath& path) {
    ContainerName found;
    const auto docker = host.files.read(host.root("/var/lib/docker/containers/" + path.id + "/config.v2.json"));
    if (docker) found = parse_docker_state(*docker);
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kBundles = {
        {{"/run/containerd/io.containerd.runtime.v2.task/k8s.io/", "/config.json"},
         {"/run/containerd/io.containerd.runtime.v2.task/default/", "/config.json"},
         {"/run/containers/storage/overlay-containers/", "/userdata/config.json"},
         {"/var/lib/containers/storage/overlay-containers/", "/userdata/config.json"}}};
    for (const auto& [before, after] : kBundles) {
        if (found != ContainerName{}) break;
        const auto text = host.files.read(host.root(std::string(before) + path.id + std::string(after)));
        if (text) found = parse_oci_config(*text);
    }
    constexpr std::size_t kShortId = 12;  // As `docker ps` shows it.
    if (found.name.empty()) found.name = path.id.substr(0, kShortId);
    return found;
}

}  // namespace stoker::collect
