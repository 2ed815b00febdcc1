// Without a configuration: pools made of the engines that were found on this machine, one for each model.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/config.h"
#include "collect/collector.h"

namespace stoker::app {

// Remembers engines once found: one that dies stays a member of its pools, so that the gateway and healing deal with it
// like with a configured one. Not thread-safe.
class DiscoveredPools {
public:
    // Takes what collection knows now; true if there is something new.
    bool update(const std::vector<collect::TargetStatus>& targets);
    // A pool named like its model for every model found.
    std::vector<PoolConfig> pools() const;

private:
    std::map<std::string, std::vector<std::string>> urls_by_model_;
};

// What collection should scrape: every replica once (under its first pool's name) and the targets of the configuration.
std::vector<collect::TargetSpec> target_specs(const Config& config);

}  // namespace stoker::app
