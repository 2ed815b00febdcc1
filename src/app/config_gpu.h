// collect.gpu: whether and how this machine's GPUs are measured. A part of Config.
#pragma once

#include <memory>
#include <string>

#include "base/config.h"
#include "base/time.h"

namespace stoker::collect {
class XidTable;
}

namespace stoker::app {

struct LoadedConfig;

struct GpuConfig {
    bool enabled = true;
    Duration interval{1'000};
    std::string library;
    std::string rocm_library;
    bool dcgm_names = true;
    std::string xid_table;  // A file, as written.
    // What it says; read with the configuration. Null: the table that ships.
    std::shared_ptr<const collect::XidTable> xids;
    std::string kernel_log = "/dev/kmsg";
};

void describe(config::Fields& f, GpuConfig& c);

// Reads the table of XIDs that the configuration names into it; adds what is wrong with it to its problems.
void read_xid_table(LoadedConfig& loaded);

}  // namespace stoker::app
