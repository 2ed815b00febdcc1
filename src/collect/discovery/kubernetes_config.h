// Prometheus' kubernetes_sd_configs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/config.h"
#include "collect/discovery/http_config.h"

namespace stoker::collect {

struct KubernetesNamespaces {
    bool own_namespace = false;
    std::vector<std::string> names;  // Empty: all.
    friend bool operator==(const KubernetesNamespaces&, const KubernetesNamespaces&) = default;
};

struct KubernetesSelector {
    std::string role;
    std::string label;
    std::string field;
    friend bool operator==(const KubernetesSelector&, const KubernetesSelector&) = default;
};

struct KubernetesSdConfig {
    std::string api_server;  // Empty, as kubeconfig_file: that of the cluster this runs in.
    std::string role;
    std::string kubeconfig_file;
    KubernetesNamespaces namespaces;
    std::vector<KubernetesSelector> selectors;
    HttpConfig http;
    friend bool operator==(const KubernetesSdConfig&, const KubernetesSdConfig&) = default;
};

void describe(config::Fields& f, KubernetesNamespaces& c);
void describe(config::Fields& f, KubernetesSelector& c);
void describe(config::Fields& f, KubernetesSdConfig& c);
void resolve_paths(KubernetesSdConfig& c, const std::string& folder);

}  // namespace stoker::collect
