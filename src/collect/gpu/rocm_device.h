// One AMD GPU, asked through ROCm SMI.
//
// What a GPU does not have is not asked for again. The library reads the kernel's files and has no code for "lost": a
// GPU whose files are gone answers "not supported" to what it told before, so one that answers nothing of what it once
// did is lost. Values that can't be (a percentage of 65535, which firmware gives for "not known") are absent and named.
//
// What the library reads many files for, or hardly changes, is read every kCostly or kConstant and held in between.
// Blocks as long as the driver does. Not thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/time.h"
#include "collect/gpu/gpu_reading.h"
#include "collect/gpu/rocm_library.h"

namespace stoker::collect::rocm {

class RocmDevice {
public:
    // REQUIRES: `library` outlives it.
    RocmDevice(const Library& library, std::uint32_t index, GpuIdentity id);

    GpuReading read();
    std::uint32_t index() const { return index_; }

private:
    // Calls `function` unless it is known not to work here; says whether it did. `what` names it in failures.
    template <typename Function, typename... Arguments>
    bool ask(GpuReading& out, std::string_view what, Function* function, Arguments... arguments);
    // The value of a call that gives one number, times `scale`; absent and named if it is not in [least, most].
    template <typename Number, typename Function, typename... Arguments>
    Reading number(GpuReading& out, std::string_view what, Function* function, double scale, double least, double most,
                   Arguments... arguments);

    Reading temperature(GpuReading& out, std::string_view what, std::uint32_t sensor, std::uint32_t metric);
    void read_power(GpuReading& out);
    void read_clock(GpuReading& out, std::string_view what, std::uint32_t type, Reading& now, Reading& most);
    void read_constant(GpuReading& out);
    void read_costly(GpuReading& out);
    void read_errors(GpuReading& out);
    void read_pages(GpuReading& out);
    void read_pcie(GpuReading& out);

    static constexpr std::chrono::seconds kCostly{10};
    static constexpr std::chrono::seconds kConstant{60};

    const Library& library_;
    const Api& api_;
    const std::uint32_t index_;
    const GpuIdentity id_;
    std::set<std::string, std::less<>> unsupported_;
    std::set<std::string, std::less<>> worked_;  // At any time.
    std::size_t answers_ = 0;                    // In this look.
    std::uint32_t sensor_ = kJunction;           // Whose temperature is the GPU's.
    GpuReading held_;                            // What is not read at every look.
    SteadyTime costly_at_{};
    SteadyTime constant_at_{};
};

}  // namespace stoker::collect::rocm
