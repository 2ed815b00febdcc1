// This machine's NVIDIA GPUs, through NVML.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "collect/gpu/gpu_reader.h"
#include "collect/gpu/nvml_device.h"
#include "collect/gpu/nvml_library.h"

namespace stoker::collect::nvml {

// Not thread-safe, but for what library() gives.
class NvmlReader : public GpuReader {
public:
    // `path` of the library; empty: kDefaultLibrary.
    explicit NvmlReader(std::string path) : path_(std::move(path)) {}

    std::string_view name() const override { return "nvml"; }

    // Loads the library when it is not; where that fails, tries again after kRetry and says the same error till then.
    Result<std::vector<GpuReading>> read() override;

    // The library and the handles of its GPUs, for those that wait for events; null until the first read() that works.
    std::shared_ptr<const Library> library() const { return library_; }
    std::vector<std::pair<Device, GpuIdentity>> devices() const;

private:
    Result<Unit> open();
    GpuIdentity identify(unsigned index, Device device) const;

    static constexpr std::chrono::seconds kRetry{30};

    const std::string path_;
    std::shared_ptr<const Library> library_;
    std::vector<std::unique_ptr<NvmlDevice>> devices_;
    Error last_error_{Errc::NotFound, "not looked yet"};
    SteadyTime retry_at_{};
};

}  // namespace stoker::collect::nvml
