#include "app/discovered.h"

#include <algorithm>
#include <set>

#include "app/replica_control.h"

namespace stoker::app {

bool DiscoveredPools::update(const std::vector<collect::TargetStatus>& targets) {
    bool news = false;
    for (const auto& target : targets) {
        for (const auto& model : target.models) {
            auto& urls = urls_by_model_[model];
            if (std::find(urls.begin(), urls.end(), target.url) != urls.end()) continue;
            urls.push_back(target.url);
            news = true;
        }
    }
    return news;
}

std::vector<PoolConfig> DiscoveredPools::pools() const {
    std::vector<PoolConfig> pools;
    for (const auto& [model, urls] : urls_by_model_) {
        PoolConfig& pool = pools.emplace_back();
        pool.name = model;
        pool.models = {model};
        for (const auto& url : urls) pool.replicas.emplace_back().url = url;
    }
    return pools;
}

std::vector<collect::TargetSpec> target_specs(const Config& config) {
    std::vector<collect::TargetSpec> specs;
    std::set<std::string> seen;
    for (const auto& pool : config.pools) {
        if (pool.provider) continue;  // Whose metrics are nobody's to scrape.
        for (const auto& replica : pool.replicas) {
            auto id = replica_id(pool.name, replica.url);
            if (!id || !seen.insert(replica.url).second) continue;
            collect::TargetSpec& spec = specs.emplace_back();
            spec.url = replica.url;
            spec.pool = pool.name;
            spec.replica = *id;
            spec.bearer = replica.api_key;
        }
    }
    for (const auto& target : config.collect.targets) {
        if (!seen.insert(target.url).second) continue;
        collect::TargetSpec& spec = specs.emplace_back();
        spec.url = target.url;
        spec.metrics_path = target.path;
        spec.bearer = target.token;
        spec.honor_labels = target.honor_labels;
        spec.honor_timestamps = target.honor_timestamps;
    }
    return specs;
}

}  // namespace stoker::app
