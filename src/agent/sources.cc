#include "agent/sources.h"

#include "collect/host/host_collector.h"

namespace stoker::agent {

std::vector<std::shared_ptr<collect::Source>> sources_of(const Config& config) {
    return {std::make_shared<collect::HostCollector>("/", config.instance)};
}

}  // namespace stoker::agent
