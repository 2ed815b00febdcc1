// Targets that an endpoint names, in http_sd's format.
#pragma once

#include "collect/discovery/discoverer.h"

namespace stoker::collect {

// Errors: InvalidArgument (URL, certificates).
Result<std::shared_ptr<Discoverer>> http_discoverer(HttpSdConfig config, DiscoveryContext context);

}  // namespace stoker::collect
