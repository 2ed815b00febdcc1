// What the agent reads: the one place that lists it.
#pragma once

#include <memory>
#include <vector>

#include "agent/config.h"
#include "collect/source.h"

namespace stoker::agent {

// REQUIRES: config.instance is set.
std::vector<std::shared_ptr<collect::Source>> sources_of(const Config& config);

}  // namespace stoker::agent
