// Notices numbers that can't be true: a GPU whose values stand still while it works, or are zero while it works.
//
// Both happen: after some faults the driver goes on answering with the last values, and performance counters (DCGM's
// too) read zero until a process is restarted, beside a utilisation of 100 %. Pure; one object a GPU; not thread-safe.
#pragma once

#include <optional>

#include "base/time.h"
#include "collect/gpu/gpu_reading.h"

namespace stoker::collect {

struct GpuDoubts {
    bool frozen = false;         // No value has moved for kFrozenAfter while the GPU was said to work.
    bool zero_but_busy = false;  // The performance counters say nothing runs, utilisation or power say it does.
    friend bool operator==(const GpuDoubts&, const GpuDoubts&) = default;
};

class GpuDoubt {
public:
    // A working GPU's power in milliwatts never is the same for so long; an idle one's may be.
    static constexpr std::chrono::seconds kFrozenAfter{60};
    static constexpr std::chrono::seconds kZeroAfter{10};

    // REQUIRES: `now` never goes back.
    GpuDoubts observe(const GpuReading& gpu, SteadyTime now);

private:
    // What moves by itself on a GPU that works.
    struct Moving {
        Reading power, power_instant, energy, temperature, memory_temperature, utilization, memory_io, memory_used,
            sm_active, dram_active;
        friend bool operator==(const Moving&, const Moving&) = default;
    };

    std::optional<Moving> last_;
    SteadyTime moved_at_{};
    std::optional<SteadyTime> zero_since_;
};

// Takes the counters that read zero out of a reading that is in that doubt: absent is true, zero is not.
void remove_false_zeros(GpuReading& gpu);

}  // namespace stoker::collect
