#include "collect/discovery/discoverer.h"

#include <fmt/format.h>

#include "collect/discovery/catalog_sd.h"
#include "collect/discovery/dns_sd.h"
#include "collect/discovery/file_sd.h"
#include "collect/discovery/http_sd.h"
#include "collect/discovery/kubernetes_sd.h"

namespace stoker::collect {
namespace {

class StaticDiscoverer : public Discoverer {
public:
    explicit StaticDiscoverer(std::vector<TargetGroup> groups) : groups_(std::move(groups)) {}
    std::string_view kind() const override { return "static"; }
    void start(std::function<void()> changed) override { changed(); }
    void stop() override {}
    const std::vector<TargetGroup>& groups() const override { return groups_; }
    SourceHealth health() const override { return {{}, now()}; }
    bool asked() const override { return true; }

private:
    const std::vector<TargetGroup> groups_;
};

}  // namespace

std::shared_ptr<Discoverer> static_discoverer(const std::vector<StaticConfig>& configs) {
    std::vector<TargetGroup> groups;
    for (const StaticConfig& config : configs) {
        TargetGroup& group = groups.emplace_back();
        group.source = std::to_string(groups.size() - 1);
        for (const std::string& target : config.targets) group.targets.push_back({{"__address__", target}});
        group.labels.insert(config.labels.begin(), config.labels.end());
    }
    return std::make_shared<StaticDiscoverer>(std::move(groups));
}

std::vector<std::string> source_kinds(const ScrapeConfig& config) {
    std::vector<std::string> kinds;
    if (!config.static_configs.empty()) kinds.emplace_back("static");
    if (!config.file_sd_configs.empty()) kinds.emplace_back("file");
    if (!config.http_sd_configs.empty()) kinds.emplace_back("http");
    if (!config.dns_sd_configs.empty()) kinds.emplace_back("dns");
    if (!config.kubernetes_sd_configs.empty()) kinds.emplace_back("kubernetes");
    if (!config.docker_sd_configs.empty()) kinds.emplace_back("docker");
    if (!config.consul_sd_configs.empty()) kinds.emplace_back("consul");
    return kinds;
}

Result<std::vector<std::shared_ptr<Discoverer>>> make_discoverers(const ScrapeConfig& config,
                                                                  DiscoveryContext context) {
    std::vector<std::shared_ptr<Discoverer>> made;
    if (!config.static_configs.empty()) made.push_back(static_discoverer(config.static_configs));
    for (const FileSdConfig& one : config.file_sd_configs) made.push_back(file_discoverer(one, context));
    for (const HttpSdConfig& one : config.http_sd_configs) {
        TRY(auto source, http_discoverer(one, context));
        made.push_back(std::move(source));
    }
    for (const DnsSdConfig& one : config.dns_sd_configs) made.push_back(dns_discoverer(one, context));
    for (const KubernetesSdConfig& one : config.kubernetes_sd_configs) {
        made.push_back(kubernetes_discoverer(one, context));
    }
    for (const DockerSdConfig& one : config.docker_sd_configs) {
        TRY(auto source, docker_discoverer(one, context));
        made.push_back(std::move(source));
    }
    for (const ConsulSdConfig& one : config.consul_sd_configs) {
        TRY(auto source, consul_discoverer(one, context));
        made.push_back(std::move(source));
    }
    return made;
}

}  // namespace stoker::collect
