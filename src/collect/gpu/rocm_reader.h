// This machine's AMD GPUs, through ROCm SMI.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "collect/gpu/gpu_reader.h"
#include "collect/gpu/rocm_device.h"
#include "collect/gpu/rocm_library.h"

namespace stoker::collect::rocm {

// Not thread-safe.
class RocmReader : public GpuReader {
public:
    // `path` of the library; empty: where the system has it.
    explicit RocmReader(std::string path) : path_(std::move(path)) {}

    std::string_view name() const override { return "rocm_smi"; }

    // Loads the library when it is not; where that fails, tries again after kRetry and says the same error till then.
    Result<std::vector<GpuReading>> read() override;

private:
    Result<Unit> open();
    GpuIdentity identify(std::uint32_t index) const;
    // Processes by the GPU that they are on. The library lists them for the machine, not for a GPU.
    void read_processes();

    static constexpr std::chrono::seconds kRetry{30};
    static constexpr std::chrono::seconds kProcesses{10};  // It looks through a folder for each process.

    const std::string path_;
    std::shared_ptr<const Library> library_;
    std::vector<std::unique_ptr<RocmDevice>> devices_;
    std::map<std::uint32_t, std::vector<GpuProcess>> processes_;
    bool processes_known_ = false;
    SteadyTime processes_at_{};
    Error last_error_{Errc::NotFound, "not looked yet"};
    SteadyTime retry_at_{};
};

}  // namespace stoker::collect::rocm
