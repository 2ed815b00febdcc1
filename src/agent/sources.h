// What the agent reads: the one place that lists it. GPUs come when their driver does (gpus.h).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "agent/config.h"
#include "base/result.h"
#include "collect/source.h"

namespace stoker::agent {

// What is for local rules alone goes to `local`. REQUIRES: config.instance is set; `local` may be called as long as a
// source lives. Errors: of the files of signatures.
Result<std::vector<std::shared_ptr<collect::Source>>> sources_of(
    const Config& config, std::function<void(const std::vector<tsdb::SeriesSample>&)> local);

}  // namespace stoker::agent
