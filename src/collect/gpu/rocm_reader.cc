#include "collect/gpu/rocm_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace stoker::collect::rocm {
namespace {

constexpr std::uint32_t kMostProcesses = 4096;
constexpr std::uint32_t kMostGpus = 256;  // Partitions of a GPU count each.
constexpr std::uint32_t kNoOccupancy = 0xFFFFFFFF;

// Domain in the upper half, then eight bits of bus, five of device and three of function.
std::string pci_address(std::uint64_t id) {
    return fmt::format("{:04x}:{:02x}:{:02x}.{}", id >> 32, (id >> 8) & 0xff, (id >> 3) & 0x1f, id & 0x7);
}

}  // namespace

Result<std::vector<GpuReading>> RocmReader::read() {
    const auto now = std::chrono::steady_clock::now();
    if (!library_) {
        if (now < retry_at_) return last_error_;
        auto opened = open();
        if (!opened) {
            devices_.clear();
            library_.reset();
            last_error_ = opened.error();
            retry_at_ = now + kRetry;
            return last_error_;
        }
    }
    if (now >= processes_at_) {
        read_processes();
        processes_at_ = now + kProcesses;
    }
    std::vector<GpuReading> readings;
    readings.reserve(devices_.size());
    for (auto& device : devices_) {
        readings.push_back(device->read());
        if (readings.back().lost || !processes_known_) continue;
        readings.back().processes_known = true;
        const auto found = processes_.find(device->index());
        if (found != processes_.end()) readings.back().processes = found->second;
    }
    return readings;
}

Result<Unit> RocmReader::open() {
    TRY(library_, Library::open(path_));
    const Api& api = library_->api();
    std::uint32_t count = 0;
    const Status counted = api.count(&count);
    if (counted != kSuccess) {
        return Error{Errc::Unavailable, "rsmi_num_monitor_devices: " + library_->describe(counted)};
    }
    devices_.clear();
    for (std::uint32_t i = 0; i < std::min(count, kMostGpus); ++i) {
        devices_.push_back(std::make_unique<RocmDevice>(*library_, i, identify(i)));
    }
    if (devices_.empty()) return Error{Errc::NotFound, "ROCm is installed and knows no GPU"};
    return Unit{};
}

GpuIdentity RocmReader::identify(std::uint32_t index) const {
    const Api& api = library_->api();
    constexpr std::uint32_t kSize = 256;
    const auto text = [&](auto* function) -> std::string {
        char buffer[kSize] = {};
        if (function == nullptr || function(index, buffer, kSize - 1) != kSuccess) return "";
        return buffer;
    };
    GpuIdentity id;
    id.index = index;
    id.vendor = "amd";
    id.name = text(api.market_name);
    if (id.name.empty()) id.name = text(api.name);
    id.serial = text(api.serial);
    id.vbios = text(api.vbios);
    std::uint64_t number = 0;
    if (api.pci_id != nullptr && api.pci_id(index, &number) == kSuccess) id.pci = pci_address(number);
    // As ROCR_VISIBLE_DEVICES writes it. Some GPUs have none; their place is as good as long as they stay there.
    std::uint64_t unique = 0;
    if (api.unique_id != nullptr && api.unique_id(index, &unique) == kSuccess && unique != 0) {
        id.uuid = fmt::format("GPU-{:016x}", unique);
    } else {
        id.uuid = "PCI-" + (id.pci.empty() ? std::to_string(index) : id.pci);
    }
    char driver[kSize] = {};
    if (api.version != nullptr && api.version(kDriverComponent, driver, kSize - 1) == kSuccess) id.driver = driver;
    return id;
}

void RocmReader::read_processes() {
    const Api& api = library_->api();
    processes_.clear();
    processes_known_ = false;
    std::uint32_t count = 0;
    if (api.processes == nullptr || api.process_gpus == nullptr || api.processes(nullptr, &count) != kSuccess) return;
    // Some more may begin until it is asked again.
    std::vector<ProcessInfo> list(std::min(count + 16, kMostProcesses));
    count = static_cast<std::uint32_t>(list.size());
    const Status status = api.processes(list.data(), &count);
    if (status != kSuccess && status != kInsufficientSize) return;
    list.resize(std::min<std::size_t>(count, list.size()));
    processes_known_ = true;
    for (const ProcessInfo& info : list) {
        std::vector<std::uint32_t> gpus(kMostGpus);
        auto on = static_cast<std::uint32_t>(gpus.size());
        if (api.process_gpus(info.pid, gpus.data(), &on) != kSuccess) continue;  // It has ended meanwhile.
        gpus.resize(std::min<std::size_t>(on, gpus.size()));
        for (const std::uint32_t gpu : gpus) {
            GpuProcess process;
            process.pid = info.pid;
            ProcessOnGpu here{};
            if (api.process_on_gpu != nullptr && api.process_on_gpu(info.pid, gpu, &here) == kSuccess) {
                process.memory_bytes = static_cast<double>(here.info.vram_bytes);
                if (here.info.cu_occupancy != kNoOccupancy && here.info.cu_occupancy <= 100)
                    process.sm_utilization = here.info.cu_occupancy / 100.0;
            } else if (gpus.size() == 1) {
                // Older libraries tell a process' memory over all its GPUs: of several it can't be said whose it is.
                process.memory_bytes = static_cast<double>(info.vram_bytes);
            }
            processes_[gpu].push_back(std::move(process));
        }
    }
}

}  // namespace stoker::collect::rocm
