// collect.engines: files that say how engines are recognised and read.
#pragma once

#include "app/config.h"

namespace stoker::app {

// Reads the adapters that the configuration names into it; adds what is wrong with them to its problems.
void read_adapters(LoadedConfig& loaded);

}  // namespace stoker::app
