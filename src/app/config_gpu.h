// collect.gpu: whether and how this machine's GPUs are measured. A part of Config.
#pragma once

#include <string>

#include "base/config.h"
#include "base/time.h"

namespace stoker::app {

struct GpuConfig {
    bool enabled = true;
    Duration interval{1'000};
    std::string library;
    bool dcgm_names = true;
};

void describe(config::Fields& f, GpuConfig& c);

}  // namespace stoker::app
