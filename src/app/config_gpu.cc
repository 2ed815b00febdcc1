#include "app/config_gpu.h"

#include <filesystem>

#include "app/config.h"
#include "base/file.h"
#include "collect/gpu/xid_table.h"

namespace stoker::app {

void describe(config::Fields& f, GpuConfig& c) {
    f.field("enabled", c.enabled,
            "Whether this machine's GPUs are measured. Without a driver nothing is, whatever it says.");
    f.field("interval", c.interval, "Time between two looks at them.");
    f.check("interval", c.interval >= Duration{100},
            "must be at least 100ms: the driver needs milliseconds for each GPU");
    f.field("library", c.library,
            "NVIDIA's management library. Empty: `libnvidia-ml.so.1`, wherever the system has it.");
    f.field("rocm_library", c.rocm_library,
            "AMD's management library. Empty: `librocm_smi64.so`, wherever the system or `/opt/rocm` has it.");
    f.field(
        "dcgm_names", c.dcgm_names,
        "Whether values that DCGM has too are also written under its names (docs/gpu.md), for dashboards made for it.");
    f.field(
        "xid_table", c.xid_table,
        "What XIDs mean and what is to be done, in place of the table that ships (`config/gpu/xid.yaml`), relative to "
        "the configuration file.");
    f.field("kernel_log", c.kernel_log, "Where XIDs are read beside the driver's events. Empty: nowhere.");
}

void read_xid_table(LoadedConfig& loaded) {
    GpuConfig& gpu = loaded.config.collect.gpu;
    if (gpu.xid_table.empty()) return;
    const std::string path = std::filesystem::path(loaded.config.folder) / gpu.xid_table;
    const auto text = read_file(path);
    if (!text) {
        loaded.problems.push_back(
            {.file = path, .line = 0, .column = 0, .key = "collect.gpu.xid_table", .message = text.error().message});
        return;
    }
    auto table = collect::XidTable::read(*text, path, loaded.problems);
    if (loaded.ok()) gpu.xids = std::make_shared<collect::XidTable>(std::move(table));
}

}  // namespace stoker::app
