// Prometheus' dns_sd_configs, docker_sd_configs and consul_sd_configs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/time.h"
#include "collect/discovery/http_config.h"

namespace stoker::collect {

struct DnsSdConfig {
    std::vector<std::string> names;
    std::string type = "SRV";
    std::int64_t port = 0;
    Duration refresh_interval{30'000};
    std::string resolv_conf = "/etc/resolv.conf";
    friend bool operator==(const DnsSdConfig&, const DnsSdConfig&) = default;
};

struct DockerFilter {
    std::string name;
    std::vector<std::string> values;
    friend bool operator==(const DockerFilter&, const DockerFilter&) = default;
};

struct DockerSdConfig {
    std::string host;
    std::int64_t port = 80;
    std::string host_networking_host = "localhost";
    bool match_first_network = true;
    std::vector<DockerFilter> filters;
    Duration refresh_interval{60'000};
    HttpConfig http;
    friend bool operator==(const DockerSdConfig&, const DockerSdConfig&) = default;
};

struct ConsulSdConfig {
    std::string server = "localhost:8500";
    std::string scheme = "http";
    std::string token;
    std::string datacenter;
    std::string partition;
    std::string consul_namespace;  // The key is `namespace`.
    std::vector<std::string> services;
    std::vector<std::string> tags;
    std::map<std::string, std::string> node_meta;
    std::string filter;         // Of the list of services,
    std::string health_filter;  // and of each one's instances.
    std::string path_prefix;
    std::string tag_separator = ",";
    bool allow_stale = true;
    Duration refresh_interval{30'000};
    HttpConfig http;
    friend bool operator==(const ConsulSdConfig&, const ConsulSdConfig&) = default;
};

void describe(config::Fields& f, DnsSdConfig& c);
void describe(config::Fields& f, DockerFilter& c);
void describe(config::Fields& f, DockerSdConfig& c);
void describe(config::Fields& f, ConsulSdConfig& c);

}  // namespace stoker::collect
