// One NVIDIA GPU, asked through NVML.
//
// What a GPU says it does not support is not asked for again; what fails otherwise is named in the reading and asked
// for again next time. A GPU that is lost is left alone for the rest of the look, since every call may cost seconds.
//
// Some calls cost milliseconds of CPU on a real driver (H100, driver 580: energy 3.2, each reason of limited clocks
// 0.75, each highest clock 1.5, load by process 2.3; all others together 1.9). Those are made every kCostly, what
// hardly ever changes every kConstant, and their values are held in between. Blocks as long as the driver does. Not
// thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/time.h"
#include "collect/gpu/gpu_reading.h"
#include "collect/gpu/nvml_gpm.h"
#include "collect/gpu/nvml_library.h"

namespace stoker::collect::nvml {

class NvmlDevice {
public:
    // REQUIRES: `library` outlives it.
    NvmlDevice(const Library& library, Device handle, GpuIdentity id);

    GpuReading read();
    const GpuIdentity& id() const { return id_; }
    Device handle() const { return handle_; }

private:
    // Calls `function` unless it is known not to work here; says whether it did. `what` names it in failures.
    template <typename Function, typename... Arguments>
    bool ask(GpuReading& out, std::string_view what, Function* function, Arguments... arguments);
    // The value of a call that gives one unsigned number, times `scale`.
    template <typename Number, typename Function, typename... Arguments>
    Reading number(GpuReading& out, std::string_view what, Function* function, double scale, Arguments... arguments);

    void read_costly(GpuReading& out);
    void read_constant(GpuReading& out);
    void read_load(GpuReading& out);
    void read_memory(GpuReading& out);
    void read_clocks(GpuReading& out);
    void read_errors(GpuReading& out);
    void read_rows(GpuReading& out);
    void read_nvlink(GpuReading& out);
    void read_fields(GpuReading& out);
    void read_process_list(GpuReading& out, bool graphics);
    void read_process_load(GpuReading& out, bool measure);
    void read_instances(GpuReading& out);

    static constexpr std::chrono::seconds kCostly{10};
    static constexpr std::chrono::seconds kConstant{60};

    const Library& library_;
    const Api& api_;
    const Device handle_;
    const GpuIdentity id_;
    std::set<std::string, std::less<>> unsupported_;
    std::unique_ptr<GpmWindow> gpm_;
    std::map<unsigned, std::unique_ptr<GpmWindow>> instance_gpm_;  // By GPU instance.
    GpuReading held_;                                              // What is not read at every look.
    SteadyTime costly_at_{};
    SteadyTime constant_at_{};
    std::map<unsigned, double> process_load_;  // By pid.
    unsigned long long processes_seen_us_ = 0;
};

}  // namespace stoker::collect::nvml
