#include "collect/discovery/kubernetes_config.h"

#include "net/http.h"

namespace stoker::collect {
namespace {

const std::vector<std::string>& roles() {
    static const std::vector<std::string> names = {"pod", "service", "endpoints", "endpointslice", "node", "ingress"};
    return names;
}

}  // namespace

void describe(config::Fields& f, KubernetesNamespaces& c) {
    f.field("own_namespace", c.own_namespace, "The one that Stoker runs in, beside those named.");
    f.field("names", c.names, "Only these; without any, all.");
}

void describe(config::Fields& f, KubernetesSelector& c) {
    f.choice("role", c.role, roles(), "Of which objects only some are to be looked at.");
    f.required("role");
    f.field("label", c.label, "Label selector, such as `app=vllm,tier!=test`.");
    f.field("field", c.field, "Field selector, such as `spec.nodeName=n1`.");
}

void describe(config::Fields& f, KubernetesSdConfig& c) {
    f.choice("role", c.role, roles(), "What becomes a target.");
    f.required("role");
    f.field("api_server", c.api_server, "https://HOST:PORT. Empty: from kubeconfig_file, or the cluster around us.");
    f.check("api_server", c.api_server.empty() || net::parse_url(c.api_server).has_value(),
            "must be a URL such as https://10.0.0.1:6443");
    f.field("kubeconfig_file", c.kubeconfig_file,
            "Server and credentials of its current context: tokens, token files, client certificates, user and "
            "password. Read again when they are refused.");
    f.check("kubeconfig_file", c.kubeconfig_file.empty() || c.api_server.empty(),
            "'kubeconfig_file' and 'api_server' are both given; keep one of them");
    f.object("namespaces", c.namespaces, "Where to look.");
    f.list("selectors", c.selectors, "Narrow down what the API server sends.");
    describe_http(f, c.http);
    refuse(f, {"attach_metadata"}, "join the node's labels in PromQL, or use the role node");
}

void resolve_paths(KubernetesSdConfig& c, const std::string& folder) {
    c.kubeconfig_file = from_folder(c.kubeconfig_file, folder);
    resolve_paths(c.http, folder);
}

}  // namespace stoker::collect
