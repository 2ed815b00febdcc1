#include "agent/sources.h"

#include "collect/host/collector_source.h"

namespace stoker::agent {

std::vector<std::shared_ptr<collect::Source>> sources_of(const Config& config) {
    collect::HostOptions host;
    host.instance = config.instance;
    return collect::host_sources(host);
}

}  // namespace stoker::agent
