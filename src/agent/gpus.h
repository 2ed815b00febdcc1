// This machine's GPUs as sources of the agent, from the moment that there is a driver: a machine without one pays
// neither threads nor memory for them.
//
// Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "collect/gpu/gpu_source.h"
#include "collect/gpu/xid_events.h"
#include "collect/source_runner.h"

namespace stoker::agent {

struct GpuOptions {
    bool enabled = true;
    Duration interval{1'000};
    std::string library{};       // NVIDIA's. Empty: the driver's own, once the kernel has the driver.
    std::string rocm_library{};  // AMD's, in the same way.
    bool dcgm_names = true;
    // Each says that the kernel has the driver, by being there.
    std::string nvidia_driver = "/proc/driver/nvidia/version";
    std::string amd_driver = "/sys/module/amdgpu";
};

class Gpus {
public:
    // Errors: of the table of XIDs.
    static Result<std::unique_ptr<Gpus>> create(const GpuOptions& options);

    using Wrap = std::function<std::shared_ptr<collect::Source>(std::shared_ptr<collect::Source>)>;
    // Has `runner` read the GPUs, each source as `wrap` makes it, of vendors whose driver is there by now and that it
    // does not already read. Cheap: call it every few seconds. `host` is this machine's name. True: it reads some.
    bool look(collect::SourceRunner& runner, const std::string& host, const Wrap& wrap);

    // Before the runner stops.
    void stop() { events_.stop(); }

private:
    Gpus(const GpuOptions& options, collect::XidTable table);

    const GpuOptions options_;
    const std::shared_ptr<const collect::XidTable> table_;
    const std::shared_ptr<collect::GpuBoard> board_ = std::make_shared<collect::GpuBoard>();
    const std::shared_ptr<collect::XidBook> book_ = std::make_shared<collect::XidBook>();
    collect::XidEvents events_;
    bool nvidia_ = false;  // Those are read.
    bool amd_ = false;
};

}  // namespace stoker::agent
