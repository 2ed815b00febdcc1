// Our declarations of ROCm SMI beside AMD's own header: compile it where there is one (Debian's librocm-smi-dev, or
// /opt/rocm/include).
//
//   g++ -std=c++20 -fsyntax-only -I src test/fake_rocm/check_abi.cc
#include <rocm_smi/rocm_smi.h>

#include <type_traits>

#include "collect/gpu/rocm_api.h"

namespace ours = stoker::collect::rocm;

#define SAME_PLACE(ours_type, member, theirs, their_member) \
    static_assert(offsetof(ours::ours_type, member) == offsetof(theirs, their_member), #theirs "." #their_member)

static_assert(sizeof(rsmi_status_t) == sizeof(ours::Status));
static_assert(ours::kNotSupported == RSMI_STATUS_NOT_SUPPORTED && ours::kFileError == RSMI_STATUS_FILE_ERROR &&
              ours::kPermission == RSMI_STATUS_PERMISSION && ours::kOutOfBounds == RSMI_STATUS_INPUT_OUT_OF_BOUNDS &&
              ours::kInitError == RSMI_STATUS_INIT_ERROR &&
              ours::kNotYetImplemented == RSMI_STATUS_NOT_YET_IMPLEMENTED && ours::kNotFound == RSMI_STATUS_NOT_FOUND &&
              ours::kInsufficientSize == RSMI_STATUS_INSUFFICIENT_SIZE && ours::kNoData == RSMI_STATUS_NO_DATA &&
              ours::kBusy == RSMI_STATUS_BUSY);
static_assert(ours::kVram == RSMI_MEM_TYPE_VRAM && ours::kClockSystem == RSMI_CLK_TYPE_SYS &&
              ours::kClockMemory == RSMI_CLK_TYPE_MEM && ours::kDriverComponent == RSMI_SW_COMP_DRIVER);
static_assert(ours::kEdge == RSMI_TEMP_TYPE_EDGE && ours::kJunction == RSMI_TEMP_TYPE_JUNCTION &&
              ours::kMemory == RSMI_TEMP_TYPE_MEMORY && ours::kNow == RSMI_TEMP_CURRENT &&
              ours::kCritical == RSMI_TEMP_CRITICAL && ours::kEmergency == RSMI_TEMP_EMERGENCY);
static_assert(ours::kMemoryBlock == RSMI_GPU_BLOCK_UMC && sizeof(rsmi_gpu_block_t) == sizeof(std::uint64_t));
static_assert(ours::kPageReserved == RSMI_MEM_PAGE_STATUS_RESERVED &&
              ours::kPagePending == RSMI_MEM_PAGE_STATUS_PENDING &&
              ours::kPageUnreservable == RSMI_MEM_PAGE_STATUS_UNRESERVABLE);
static_assert(sizeof(rsmi_error_count_t) <= sizeof(ours::ErrorCount));
SAME_PLACE(ErrorCount, uncorrected, rsmi_error_count_t, uncorrectable_err);
static_assert(sizeof(rsmi_retired_page_record_t) == sizeof(ours::RetiredPage));
SAME_PLACE(RetiredPage, status, rsmi_retired_page_record_t, status);
static_assert(sizeof(rsmi_process_info_t) == sizeof(ours::ProcessInfo));
SAME_PLACE(ProcessInfo, vram_bytes, rsmi_process_info_t, vram_usage);
SAME_PLACE(ProcessInfo, cu_occupancy, rsmi_process_info_t, cu_occupancy);
static_assert(sizeof(rsmi_pcie_bandwidth_t) <= sizeof(ours::ClockList));

// The layouts that rocm_clocks.cc reads.
constexpr bool kSince6 = RSMI_MAX_NUM_FREQUENCIES == 33;
static_assert(kSince6 || RSMI_MAX_NUM_FREQUENCIES == 32);
static_assert(offsetof(rsmi_frequencies_t, num_supported) == (kSince6 ? 4 : 0));
static_assert(offsetof(rsmi_frequencies_t, current) == (kSince6 ? 8 : 4));
static_assert(offsetof(rsmi_frequencies_t, frequency) == (kSince6 ? 16 : 8));
static_assert(offsetof(rsmi_pcie_bandwidth_t, lanes) == (kSince6 ? 16 + 33 * 8 : 8 + 32 * 8));

// The same arguments in the same registers: enumerations aside, which are integers of their size.
template <typename Ours, typename Theirs>
constexpr bool kSameArgument = sizeof(Ours) == sizeof(Theirs) && std::is_pointer_v<Ours> == std::is_pointer_v<Theirs>;
template <typename Ours, typename Theirs>
struct Same : std::false_type {};
template <typename... Ours, typename R, typename... Theirs>
requires(sizeof...(Ours) == sizeof...(Theirs)) struct Same<ours::Status (*)(Ours...), R (*)(Theirs...)>
    : std::bool_constant<(kSameArgument<Ours, Theirs> && ...)> {
};
#define SAME_CALL(member, function) \
    static_assert(Same<decltype(ours::Api::member), decltype(&function)>::value, #function)

SAME_CALL(init, rsmi_init);
SAME_CALL(shutdown, rsmi_shut_down);
SAME_CALL(status_string, rsmi_status_string);
SAME_CALL(count, rsmi_num_monitor_devices);
SAME_CALL(version, rsmi_version_str_get);
SAME_CALL(name, rsmi_dev_name_get);
SAME_CALL(unique_id, rsmi_dev_unique_id_get);
SAME_CALL(serial, rsmi_dev_serial_number_get);
SAME_CALL(vbios, rsmi_dev_vbios_version_get);
SAME_CALL(pci_id, rsmi_dev_pci_id_get);
SAME_CALL(busy, rsmi_dev_busy_percent_get);
SAME_CALL(memory_busy, rsmi_dev_memory_busy_percent_get);
SAME_CALL(memory_total, rsmi_dev_memory_total_get);
SAME_CALL(memory_used, rsmi_dev_memory_usage_get);
SAME_CALL(temperature, rsmi_dev_temp_metric_get);
SAME_CALL(power_average, rsmi_dev_power_ave_get);
SAME_CALL(power_cap, rsmi_dev_power_cap_get);
SAME_CALL(power_cap_default, rsmi_dev_power_cap_default_get);
SAME_CALL(power_cap_range, rsmi_dev_power_cap_range_get);
SAME_CALL(energy, rsmi_dev_energy_count_get);
SAME_CALL(clock, rsmi_dev_gpu_clk_freq_get);
SAME_CALL(pcie_bandwidth, rsmi_dev_pci_bandwidth_get);
SAME_CALL(pcie_replays, rsmi_dev_pci_replay_counter_get);
SAME_CALL(fan, rsmi_dev_fan_speed_get);
SAME_CALL(fan_max, rsmi_dev_fan_speed_max_get);
SAME_CALL(ecc_enabled, rsmi_dev_ecc_enabled_get);
SAME_CALL(ecc_count, rsmi_dev_ecc_count_get);
SAME_CALL(retired_pages, rsmi_dev_memory_reserved_pages_get);
SAME_CALL(processes, rsmi_compute_process_info_get);
SAME_CALL(process_gpus, rsmi_compute_process_gpus_get);

int main() {}
