// Something that can look at this machine's GPUs: NVIDIA's library, AMD's.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "collect/gpu/gpu_reading.h"

namespace stoker::collect {

class GpuReader {
public:
    virtual ~GpuReader() = default;

    // "nvml", "rocm_smi".
    virtual std::string_view name() const = 0;

    // All GPUs, in the order of their index; one that is lost stays in the list. Blocks as long as the driver does.
    // Errors: NotFound (no driver: nothing to measure here), Unavailable (a driver that does not work).
    virtual Result<std::vector<GpuReading>> read() = 0;
};

}  // namespace stoker::collect
