// AMD's management library (ROCm SMI) as far as we call it: our own declarations of its C interface, so that no header
// or library of AMD's is needed to build.
//
// Names, layouts and numbers are those of rocm_smi.h (ROCm 5.2 to 6.4). One layout changed between them and carries no
// version: rocm_clocks.h. Compared with the real header by test/fake_rocm/check_abi.cc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stoker::collect::rocm {

using Status = std::uint32_t;

inline constexpr Status kSuccess = 0;
inline constexpr Status kInvalidArgs = 1;
inline constexpr Status kNotSupported = 2;
inline constexpr Status kFileError = 3;
inline constexpr Status kPermission = 4;
inline constexpr Status kOutOfBounds = 7;
inline constexpr Status kInitError = 8;
inline constexpr Status kNotYetImplemented = 9;
inline constexpr Status kNotFound = 10;
inline constexpr Status kInsufficientSize = 11;
inline constexpr Status kNoData = 14;
inline constexpr Status kBusy = 16;

// rsmi_memory_type_t, rsmi_clk_type_t, rsmi_sw_component_t.
inline constexpr std::uint32_t kVram = 0;
inline constexpr std::uint32_t kClockSystem = 0, kClockMemory = 4;
inline constexpr std::uint32_t kDriverComponent = 0;
// rsmi_temperature_type_t and rsmi_temperature_metric_t.
inline constexpr std::uint32_t kEdge = 0, kJunction = 1, kMemory = 2;
inline constexpr std::uint32_t kNow = 0, kCritical = 5, kEmergency = 7;
// RSMI_POWER_TYPE.
inline constexpr std::uint32_t kAveragePower = 0, kCurrentPower = 1;
// rsmi_gpu_block_t: one bit a block; the highest is reserved.
inline constexpr std::uint64_t kMemoryBlock = 1;
inline constexpr unsigned kMostBlocks = 63;
// rsmi_memory_page_status_t.
inline constexpr std::uint32_t kPageReserved = 0, kPagePending = 1, kPageUnreservable = 2;

// What is written into for us ends in room for members that a later version may add.
struct ErrorCount {
    std::uint64_t corrected, uncorrected;
    std::uint64_t more[6];
};
struct RetiredPage {
    std::uint64_t address, size;
    std::uint32_t status;
};
struct ProcessInfo {
    std::uint32_t pid, pasid;
    std::uint64_t vram_bytes;
    std::uint64_t sdma_us;
    std::uint32_t cu_occupancy;  // Percent; all bits set where it is not known.
};
struct ProcessOnGpu {
    ProcessInfo info;
    std::uint64_t more[8];
};
// rsmi_frequencies_t or rsmi_pcie_bandwidth_t, whichever layout the library has; all zero before the call.
struct alignas(8) ClockList {
    unsigned char bytes[1024];
};

struct Api {
    Status (*init)(std::uint64_t flags);
    Status (*shutdown)();
    Status (*status_string)(Status, const char**);
    Status (*count)(std::uint32_t*);
    Status (*version)(std::uint32_t component, char*, std::uint32_t);
    Status (*name)(std::uint32_t, char*, std::size_t);
    Status (*market_name)(std::uint32_t, char*, std::uint32_t);
    Status (*unique_id)(std::uint32_t, std::uint64_t*);
    Status (*serial)(std::uint32_t, char*, std::uint32_t);
    Status (*vbios)(std::uint32_t, char*, std::uint32_t);
    Status (*pci_id)(std::uint32_t, std::uint64_t*);
    Status (*busy)(std::uint32_t, std::uint32_t*);
    Status (*memory_busy)(std::uint32_t, std::uint32_t*);
    Status (*memory_total)(std::uint32_t, std::uint32_t type, std::uint64_t*);
    Status (*memory_used)(std::uint32_t, std::uint32_t type, std::uint64_t*);
    Status (*temperature)(std::uint32_t, std::uint32_t sensor, std::uint32_t metric, std::int64_t*);
    Status (*power_average)(std::uint32_t, std::uint32_t sensor, std::uint64_t*);
    Status (*power)(std::uint32_t, std::uint64_t*, std::uint32_t* type);
    Status (*power_cap)(std::uint32_t, std::uint32_t sensor, std::uint64_t*);
    Status (*power_cap_default)(std::uint32_t, std::uint64_t*);
    Status (*power_cap_range)(std::uint32_t, std::uint32_t sensor, std::uint64_t* most, std::uint64_t* least);
    Status (*energy)(std::uint32_t, std::uint64_t*, float* resolution, std::uint64_t* timestamp_ns);
    Status (*clock)(std::uint32_t, std::uint32_t type, ClockList*);
    Status (*pcie_bandwidth)(std::uint32_t, ClockList*);
    Status (*pcie_replays)(std::uint32_t, std::uint64_t*);
    Status (*fan)(std::uint32_t, std::uint32_t sensor, std::int64_t*);
    Status (*fan_max)(std::uint32_t, std::uint32_t sensor, std::uint64_t*);
    Status (*ecc_enabled)(std::uint32_t, std::uint64_t* blocks);
    Status (*ecc_count)(std::uint32_t, std::uint64_t block, ErrorCount*);
    Status (*retired_pages)(std::uint32_t, std::uint32_t*, RetiredPage*);
    Status (*processes)(ProcessInfo*, std::uint32_t*);
    Status (*process_gpus)(std::uint32_t pid, std::uint32_t* gpus, std::uint32_t*);
    Status (*process_on_gpu)(std::uint32_t pid, std::uint32_t gpu, ProcessOnGpu*);
};

}  // namespace stoker::collect::rocm
