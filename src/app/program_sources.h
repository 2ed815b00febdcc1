// The collectors that operators bring: programs and folders of text files.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "app/config.h"
#include "collect/source.h"
#include "collect/source_rounds.h"

namespace stoker::app {

std::vector<std::pair<std::shared_ptr<collect::Source>, collect::SourceSchedule>> program_sources(const Config& config);

}  // namespace stoker::app
