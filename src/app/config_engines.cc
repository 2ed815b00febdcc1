#include "app/config_engines.h"

#include "collect/engine/adapters.h"

namespace stoker::app {

void describe(config::Fields& f, EnginesConfig& c) {
    f.field("adapters", c.adapters,
            "Adapters of further engines, or of known ones in place of the built-in adapter of the same name "
            "(docs/extending.md); paths are relative to the configuration file.");
}

void read_adapters(LoadedConfig& loaded) {
    EnginesConfig& engines = loaded.config.collect.engines;
    if (engines.adapters.empty()) return;
    auto read = collect::Adapters::load(engines.adapters, loaded.config.folder);
    std::move(read.problems.begin(), read.problems.end(), std::back_inserter(loaded.problems));
    if (read.adapters) engines.in_force = std::move(read.adapters);
}

}  // namespace stoker::app
