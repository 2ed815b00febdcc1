#include "collect/discovery/kubernetes_ingress.h"

#include "collect/discovery/kubernetes_labels.h"

namespace stoker::collect {
namespace {

using namespace kubernetes;

// Whether a host of spec.tls is for `host`: the same, or `*` in place of its first label (RFC 6125, 6.4.3).
bool is_for(const std::string& pattern, const std::string& host) {
    if (pattern == host) return true;
    if (!pattern.starts_with("*.")) return false;
    const std::size_t dot = host.find('.');
    return dot != std::string::npos && host.substr(dot) == pattern.substr(1);
}

bool has_tls(const Json& ingress, const std::string& host) {
    for (const Json& tls : list(ingress, {"spec", "tls"})) {
        for (const Json& name : list(tls, {"hosts"})) {
            if (name.is_string() && is_for(name.get<std::string>(), host)) return true;
        }
    }
    return false;
}

}  // namespace

TargetGroup ingress_group(const nlohmann::json& ingress) {
    TargetGroup group;
    add(group.labels, "namespace", text(ingress, {"metadata", "namespace"}));
    add(group.labels, "ingress_name", text(ingress, {"metadata", "name"}));
    add(group.labels, "ingress_class_name", text(ingress, {"spec", "ingressClassName"}));
    add_metadata(group.labels, "ingress", ingress);
    for (const Json& rule : list(ingress, {"spec", "rules"})) {
        const std::string host = text(rule, {"host"});
        LabelMap target;
        target.insert_or_assign("__address__", host);
        add(target, "ingress_host", host);
        add(target, "ingress_scheme", has_tls(ingress, host) ? "https" : "http");
        add(target, "ingress_path", "/");  // Where the rule has none.
        const Json& paths = list(rule, {"http", "paths"});
        if (paths.empty()) group.targets.push_back(target);
        for (const Json& path : paths) {
            LabelMap one = target;
            add(one, "ingress_path", text(path, {"path"}));
            group.targets.push_back(std::move(one));
        }
    }
    return group;
}

}  // namespace stoker::collect
