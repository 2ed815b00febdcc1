#include "collect/discovery/source_configs.h"

#include "base/config_more.h"
#include "net/http.h"

namespace stoker::collect {
namespace {

void refresh(config::Fields& f, Duration& value) {
    f.field("refresh_interval", value, "How often it is asked.");
    f.check("refresh_interval", value > Duration{0}, "must be positive");
}

}  // namespace

void describe(config::Fields& f, DnsSdConfig& c) {
    f.field("names", c.names, "Names to look up.");
    f.required("names");
    f.choice("type", c.type, {"SRV", "A", "AAAA", "MX", "NS"}, "Records to look for.");
    f.field("port", c.port, "Of the targets; SRV records bring their own.");
    f.check("port", c.type == "SRV" || (c.port > 0 && c.port < 65536), "is needed for records of this type");
    refresh(f, c.refresh_interval);
    f.field("resolv_conf", c.resolv_conf,
            "File with the name servers, as resolv.conf(5); a server may have a port, as in `127.0.0.1#5353`.");
}

void describe(config::Fields& f, DockerFilter& c) {
    f.field("name", c.name, "A filter of Docker's list of containers: label, name, network, ...");
    f.required("name");
    f.field("values", c.values, "Its values.");
    f.required("values");
}

void describe(config::Fields& f, DockerSdConfig& c) {
    f.field("host", c.host,
            "The daemon, Docker's or Podman's: unix:///var/run/docker.sock, tcp://HOST:PORT, http:// or https://.");
    f.required("host");
    const bool socket = c.host.starts_with("unix://") && c.host.size() > 7;
    const bool tcp = c.host.starts_with("tcp://") && net::parse_url("http" + c.host.substr(3)).has_value();
    f.check("host", c.host.empty() || socket || tcp || net::parse_url(c.host).has_value(),
            "must be unix://PATH, tcp://HOST:PORT or a URL");
    f.field("port", c.port, "Of containers that publish or expose none.");
    f.field("host_networking_host", c.host_networking_host, "Address of containers in the host's network.");
    f.field("match_first_network", c.match_first_network,
            "Containers in several networks are targets in the first only, by name.");
    f.list("filters", c.filters, "Which containers.");
    refresh(f, c.refresh_interval);
    describe_http(f, c.http);
}

void describe(config::Fields& f, ConsulSdConfig& c) {
    f.field("server", c.server, "HOST:PORT of the agent.");
    f.choice("scheme", c.scheme, {"http", "https"}, "How it is spoken to.");
    config::masked(f, "token", c.token, "Its token (X-Consul-Token).");
    f.field("datacenter", c.datacenter, "Empty: the agent's.");
    f.field("partition", c.partition, "Of Consul Enterprise.");
    f.field("namespace", c.consul_namespace, "Of Consul Enterprise.");
    f.field("services", c.services, "Only these; without any, all.");
    f.field("tags", c.tags, "Only instances with all of these.");
    f.field("node_meta", c.node_meta, "Only nodes with this metadata.");
    f.field("filter", c.filter, "Only services that this filter expression of Consul's holds for (catalog).");
    f.field("health_filter", c.health_filter, "Only instances that this one holds for (health).");
    f.field("path_prefix", c.path_prefix,
            "What stands before `/v1/` where Consul is behind a proxy, such as `/consul`.");
    f.check("path_prefix", c.path_prefix.empty() || c.path_prefix.front() == '/', "must begin with '/'");
    f.field("tag_separator", c.tag_separator, "Between the tags in `__meta_consul_tags`.");
    f.field("allow_stale", c.allow_stale, "Any server may answer, not only the leader.");
    refresh(f, c.refresh_interval);
    f.check("server", net::parse_url(c.scheme + "://" + c.server).has_value(), "must be HOST:PORT");
    describe_http(f, c.http);
    refuse(f, {"username", "password"}, "use basic_auth");
}

}  // namespace stoker::collect
