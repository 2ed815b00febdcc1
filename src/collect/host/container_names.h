// Whose a control group is: which container, of which pod, by the names that people gave them.
//
// The group's path says which runtime made it and the container's id; the runtime's own state files say the names.
// Pure but for read_container_name.
#pragma once

#include <string>
#include <string_view>

#include "collect/host/host_context.h"

namespace stoker::collect {

// What a control group's path says; `id` is empty if it is no container's.
struct ContainerPath {
    std::string id;       // 64 hexadecimal digits.
    std::string pod_uid;  // Empty outside Kubernetes.
    friend bool operator==(const ContainerPath&, const ContainerPath&) = default;
};
// "/system.slice/docker-ID.scope", "/docker/ID", "/kubepods.slice/.../cri-containerd-ID.scope", "/kubepods/.../ID", ...
ContainerPath parse_container_path(std::string_view path);

struct ContainerName {
    std::string name;
    std::string image;
    std::string k8s_container;
    std::string k8s_pod;
    std::string k8s_namespace;
    bool pause = false;  // The container that only holds a pod together.
    friend bool operator==(const ContainerName&, const ContainerName&) = default;
};
// /var/lib/docker/containers/ID/config.v2.json. Nothing known: all empty.
ContainerName parse_docker_state(std::string_view json);
// The OCI bundle's config.json of containerd, CRI-O and Podman: its annotations.
ContainerName parse_oci_config(std::string_view json);

// Looks in the state files of Docker, containerd, CRI-O and Podman; the id's first 12 digits as the name where none
// knows it.
ContainerName read_container_name(HostContext& host, const ContainerPath& path);

}  // namespace stoker::collect
