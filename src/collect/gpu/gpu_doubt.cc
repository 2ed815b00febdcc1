#include "collect/gpu/gpu_doubt.h"

namespace stoker::collect {
namespace {

constexpr double kBusyUtilization = 0.5;
// Idle data-centre GPUs draw 10 to 20 % of their limit; half of it takes work.
constexpr double kBusyPowerShare = 0.5;

bool works(const GpuReading& gpu) {
    if (gpu.utilization.value_or(0) >= kBusyUtilization) return true;
    return gpu.power && gpu.power_limit && *gpu.power_limit > 0 && *gpu.power / *gpu.power_limit >= kBusyPowerShare;
}

bool counters_are_zero(const GpuReading& gpu) {
    return gpu.sm_active && gpu.graphics_active && *gpu.sm_active == 0 && *gpu.graphics_active == 0 &&
           gpu.dram_active.value_or(0) == 0;
}

}  // namespace

GpuDoubts GpuDoubt::observe(const GpuReading& gpu, SteadyTime now) {
    if (gpu.lost) {
        last_.reset();
        zero_since_.reset();
        return {};
    }
    GpuDoubts doubts;
    const Moving seen{.power = gpu.power,
                      .power_instant = gpu.power_instant,
                      .energy = gpu.energy,
                      .temperature = gpu.temperature,
                      .memory_temperature = gpu.memory_temperature,
                      .utilization = gpu.utilization,
                      .memory_io = gpu.memory_io,
                      .memory_used = gpu.memory_used,
                      .sm_active = gpu.sm_active,
                      .dram_active = gpu.dram_active};
    if (!last_ || *last_ != seen || !works(gpu)) {
        last_ = seen;
        moved_at_ = now;
    }
    doubts.frozen = now - moved_at_ >= kFrozenAfter;

    // A GPU whose utilisation reads zero at half its power lies as well, in the other number.
    const bool utilization_lies = gpu.utilization && *gpu.utilization == 0 && !gpu.sm_active && works(gpu);
    const bool zero = (works(gpu) && counters_are_zero(gpu)) || utilization_lies;
    if (!zero) {
        zero_since_.reset();
    } else if (!zero_since_) {
        zero_since_ = now;
    }
    doubts.zero_but_busy = zero_since_ && now - *zero_since_ >= kZeroAfter;
    return doubts;
}

void remove_false_zeros(GpuReading& gpu) {
    for (Reading* value :
         {&gpu.graphics_active, &gpu.sm_active, &gpu.sm_occupancy, &gpu.tensor_active, &gpu.hmma_active,
          &gpu.imma_active, &gpu.dfma_active, &gpu.dram_active, &gpu.fp64_active, &gpu.fp32_active, &gpu.fp16_active,
          &gpu.integer_active, &gpu.pcie_tx_rate, &gpu.pcie_rx_rate, &gpu.nvlink_tx_rate, &gpu.nvlink_rx_rate}) {
        value->reset();
    }
}

}  // namespace stoker::collect
