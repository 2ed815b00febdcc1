#include "app/config_gpu.h"

#include "app/config_checks.h"

namespace stoker::app {

void describe(config::Fields& f, GpuConfig& c) {
    f.field("enabled", c.enabled,
            "Whether this machine's GPUs are measured. Without a driver nothing is, whatever it says.");
    f.field("interval", c.interval, "Time between two looks at them.");
    f.check("interval", c.interval >= Duration{100},
            "must be at least 100ms: the driver needs milliseconds for each GPU");
    f.field("library", c.library,
            "NVIDIA's management library. Empty: `libnvidia-ml.so.1`, wherever the system has it.");
    f.field(
        "dcgm_names", c.dcgm_names,
        "Whether values that DCGM has too are also written under its names (docs/gpu.md), for dashboards made for it.");
}

}  // namespace stoker::app
