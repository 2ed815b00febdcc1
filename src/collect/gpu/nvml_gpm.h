// GPM, the performance monitoring of Hopper and later: what a GPU really did between two looks at its counters.
//
// Each look takes a sample of all counters; the driver makes metrics of two samples. No profiler lock is held, so that
// profilers and DCGM go on beside it. Not thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "collect/gpu/gpu_reading.h"
#include "collect/gpu/nvml_library.h"

namespace stoker::collect::nvml {

class GpmWindow {
public:
    // Of the whole GPU, or of one GPU instance of it; null where the GPU or the driver has no GPM.
    // REQUIRES: `library` outlives it.
    static std::unique_ptr<GpmWindow> create(const Library& library, Device device, std::optional<unsigned> instance);
    ~GpmWindow();
    GpmWindow(const GpmWindow&) = delete;
    GpmWindow& operator=(const GpmWindow&) = delete;

    // Fills the readings that are measured over the time since the last read(); the first one leaves them absent.
    void read(GpuReading& out);

private:
    GpmWindow(const Library& library, Device device, std::optional<unsigned> instance)
        : library_(library), api_(library.api()), device_(device), instance_(instance) {}
    Return take(GpmSample sample) const;

    const Library& library_;
    const Api& api_;
    const Device device_;
    const std::optional<unsigned> instance_;
    GpmSample before_ = nullptr;
    GpmSample after_ = nullptr;
    bool has_before_ = false;
    std::chrono::steady_clock::time_point before_at_{};
    std::unique_ptr<GpmMetricsGet> query_;  // 13 KiB.
};

}  // namespace stoker::collect::nvml
