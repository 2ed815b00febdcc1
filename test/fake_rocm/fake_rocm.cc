// A stand-in for AMD's management library that does as it is told: it can lie, fail, hang, and lose a GPU.
// Built as libfake_rocm.so; README.md beside it says how to drive it.
#include <cmath>
#include <cstdio>
#include <cstring>

#include "../fake_nvml/fake_state.h"
#include "collect/gpu/rocm_api.h"

using namespace stoker::collect::rocm;

namespace {

using fake::State;

double value(std::uint32_t gpu, const char* key, double fallback) {
    return State::instance().number(static_cast<int>(gpu), key, fallback);
}

// What every call does first: hang, fail, or answer as the library does where the kernel's files are gone.
Status enter(std::uint32_t gpu, const char* call) {
    while (value(gpu, "hang", 0) > 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (value(gpu, "lost", 0) > 0) return kNotSupported;
    return static_cast<Status>(value(gpu, (std::string("fail.") + call).c_str(), kSuccess));
}

// One number, by the key of the same name as the call; -1 is what the GPU does not have.
template <typename Number>
Status give(std::uint32_t gpu, const char* call, double fallback, Number* out, double scale = 1) {
    const Status status = enter(gpu, call);
    if (status != kSuccess) return status;
    const double told = value(gpu, call, fallback);
    if (told == -1) return kNotSupported;
    *out = static_cast<Number>(std::llround(told * scale));
    return kSuccess;
}

template <typename Size>
Status copy(std::uint32_t gpu, const char* call, const std::string& fallback, char* out, Size size) {
    const Status status = enter(gpu, call);
    if (status != kSuccess) return status;
    const std::string told = State::instance().text(static_cast<int>(gpu), call, fallback);
    if (told == "-1") return kNotSupported;
    std::snprintf(out, size, "%s", told.c_str());
    return kSuccess;
}

template <typename Number>
void put(ClockList* list, std::size_t offset, Number number) {
    std::memcpy(list->bytes + offset, &number, sizeof number);
}

// Three steps, the current one `now`, as the library of ROCm `layout` lays them out.
void put_steps(ClockList* list, const std::uint64_t (&hertz)[3], const std::uint32_t (&lanes)[3], std::uint32_t now) {
    const bool since6 = value(0, "layout", 6) >= 6;
    const std::size_t begin = since6 ? 16 : 8;
    const std::size_t most = since6 ? 33 : 32;
    if (since6) put<std::uint8_t>(list, 0, 1);
    put<std::uint32_t>(list, since6 ? 4 : 0, 3);
    put<std::uint32_t>(list, since6 ? 8 : 4, now);
    for (std::size_t i = 0; i < 3; ++i) {
        put(list, begin + 8 * i, hertz[i]);
        put(list, begin + 8 * most + 4 * i, lanes[i]);
    }
}

struct Process {
    std::uint32_t pid;
    std::uint32_t gpu;
    std::uint64_t bytes;
};

// "PID:GPU:MIB,...".
std::vector<Process> processes() {
    std::vector<Process> all;
    const std::string list = State::instance().text(-1, "processes");
    for (std::size_t at = 0; at < list.size();) {
        unsigned pid = 0;
        unsigned gpu = 0;
        unsigned long long mib = 0;
        if (std::sscanf(list.c_str() + at, "%u:%u:%llu", &pid, &gpu, &mib) == 3) all.push_back({pid, gpu, mib << 20});
        const auto comma = list.find(',', at);
        if (comma == std::string::npos) break;
        at = comma + 1;
    }
    return all;
}

}  // namespace

namespace fake {
namespace {
const char* variable() {
    return "STOKER_FAKE_ROCM";
}
}  // namespace
}  // namespace fake

extern "C" {

Status rsmi_init(std::uint64_t) {
    return static_cast<Status>(State::instance().number(-1, "init", kSuccess));
}
Status rsmi_shut_down() {
    return kSuccess;
}
Status rsmi_status_string(Status status, const char** text) {
    switch (status) {
        case kNotSupported:
            *text = "RSMI_STATUS_NOT_SUPPORTED";
            return kSuccess;
        case kInitError:
            *text = "RSMI_STATUS_INIT_ERROR";
            return kSuccess;
        case kBusy:
            *text = "RSMI_STATUS_BUSY";
            return kSuccess;
        default:
            *text = "RSMI_STATUS_UNKNOWN_ERROR";
            return kSuccess;
    }
}
Status rsmi_num_monitor_devices(std::uint32_t* count) {
    *count = static_cast<std::uint32_t>(State::instance().number(-1, "gpus", 1));
    return kSuccess;
}
Status rsmi_version_str_get(std::uint32_t, char* out, std::uint32_t size) {
    return copy(0, "driver", "6.12.12", out, size);
}
Status rsmi_dev_name_get(std::uint32_t gpu, char* out, std::size_t size) {
    return copy(gpu, "name", "0x74a1", out, size);
}
Status rsmi_dev_market_name_get(std::uint32_t gpu, char* out, std::uint32_t size) {
    return copy(gpu, "market_name", "AMD Instinct MI300X", out, size);
}
Status rsmi_dev_unique_id_get(std::uint32_t gpu, std::uint64_t* id) {
    return give(gpu, "unique_id", 0x1000 + gpu, id);
}
Status rsmi_dev_serial_number_get(std::uint32_t gpu, char* out, std::uint32_t size) {
    return copy(gpu, "serial", "692440000000", out, size);
}
Status rsmi_dev_vbios_version_get(std::uint32_t gpu, char* out, std::uint32_t size) {
    return copy(gpu, "vbios", "113-M3000100-102", out, size);
}
Status rsmi_dev_pci_id_get(std::uint32_t gpu, std::uint64_t* id) {
    *id = (0x05U + gpu) << 8;
    return kSuccess;
}
Status rsmi_dev_busy_percent_get(std::uint32_t gpu, std::uint32_t* out) {
    return give(gpu, "busy", 80, out);
}
Status rsmi_dev_memory_busy_percent_get(std::uint32_t gpu, std::uint32_t* out) {
    return give(gpu, "memory_busy", 40, out);
}
Status rsmi_dev_memory_total_get(std::uint32_t gpu, std::uint32_t, std::uint64_t* out) {
    return give(gpu, "memory_total", 196'592, out, 1 << 20);
}
Status rsmi_dev_memory_usage_get(std::uint32_t gpu, std::uint32_t, std::uint64_t* out) {
    return give(gpu, "memory_used", 1'024, out, 1 << 20);
}
Status rsmi_dev_temp_metric_get(std::uint32_t gpu, std::uint32_t sensor, std::uint32_t metric, std::int64_t* out) {
    const char* const sensors[] = {"edge", "junction", "memory"};
    if (sensor > kMemory) return kInvalidArgs;
    if (metric == kCritical) return give(gpu, "critical", sensor == kEdge ? 95 : 100, out, 1000);
    if (metric == kEmergency) return give(gpu, "emergency", 105, out, 1000);
    return give(gpu, sensors[sensor], sensor == kEdge ? -1 : 50 + 10 * sensor, out, 1000);
}
Status rsmi_dev_power_ave_get(std::uint32_t gpu, std::uint32_t, std::uint64_t* out) {
    return give(gpu, "power", 400, out, 1e6);
}
Status rsmi_dev_power_get(std::uint32_t gpu, std::uint64_t* out, std::uint32_t* type) {
    *type = kCurrentPower;
    return give(gpu, "power_now", 410, out, 1e6);
}
Status rsmi_dev_power_cap_get(std::uint32_t gpu, std::uint32_t, std::uint64_t* out) {
    return give(gpu, "power_cap", 750, out, 1e6);
}
Status rsmi_dev_power_cap_default_get(std::uint32_t gpu, std::uint64_t* out) {
    return give(gpu, "power_cap_default", 750, out, 1e6);
}
Status rsmi_dev_power_cap_range_get(std::uint32_t gpu, std::uint32_t, std::uint64_t* most, std::uint64_t* least) {
    *least = 0;
    return give(gpu, "power_cap_most", 750, most, 1e6);
}
// The real counter's resolution: 15.259 microjoules.
Status rsmi_dev_energy_count_get(std::uint32_t gpu, std::uint64_t* out, float* resolution, std::uint64_t* at_ns) {
    *resolution = 15.259F;
    *at_ns = 1;
    return give(gpu, "energy", 1000, out, 1e6 / 15.259);
}
Status rsmi_dev_gpu_clk_freq_get(std::uint32_t gpu, std::uint32_t type, ClockList* out) {
    const Status status = enter(gpu, type == kClockMemory ? "memory_clock" : "sm_clock");
    if (status != kSuccess) return status;
    const std::uint64_t system[3] = {132'000'000, 1'400'000'000, 2'100'000'000};
    const std::uint64_t memory[3] = {900'000'000, 1'100'000'000, 1'300'000'000};
    const auto step = static_cast<std::uint32_t>(value(gpu, "step", 1));
    put_steps(out, type == kClockMemory ? memory : system, {0, 0, 0}, step);
    return kSuccess;
}
Status rsmi_dev_pci_bandwidth_get(std::uint32_t gpu, ClockList* out) {
    const Status status = enter(gpu, "pcie");
    if (status != kSuccess) return status;
    put_steps(out, {2'500'000'000, 16'000'000'000, 32'000'000'000}, {1, 8, 16},
              static_cast<std::uint32_t>(value(gpu, "pcie_step", 2)));
    return kSuccess;
}
Status rsmi_dev_pci_replay_counter_get(std::uint32_t gpu, std::uint64_t* out) {
    return give(gpu, "pcie_replays", 0, out);
}
Status rsmi_dev_fan_speed_get(std::uint32_t gpu, std::uint32_t, std::int64_t* out) {
    return give(gpu, "fan", -1, out);
}
Status rsmi_dev_fan_speed_max_get(std::uint32_t gpu, std::uint32_t, std::uint64_t* out) {
    return give(gpu, "fan_max", 255, out);
}
Status rsmi_dev_ecc_enabled_get(std::uint32_t gpu, std::uint64_t* out) {
    return give(gpu, "ecc_blocks", 0x5, out);
}
// All blocks but memory count a tenth of what is told.
Status rsmi_dev_ecc_count_get(std::uint32_t gpu, std::uint64_t block, ErrorCount* out) {
    const double share = block == kMemoryBlock ? 1 : 0.1;
    const Status status = give(gpu, "ecc_corrected", 0, &out->corrected, share);
    return status != kSuccess ? status : give(gpu, "ecc_uncorrected", 0, &out->uncorrected, share);
}
// "reserved" pages, and "pending" ones after them.
Status rsmi_dev_memory_reserved_pages_get(std::uint32_t gpu, std::uint32_t* count, RetiredPage* pages) {
    const Status status = enter(gpu, "pages");
    if (status != kSuccess) return status;
    const auto reserved = static_cast<std::uint32_t>(value(gpu, "pages_reserved", 0));
    const auto all = reserved + static_cast<std::uint32_t>(value(gpu, "pages_pending", 0));
    if (pages != nullptr) {
        for (std::uint32_t i = 0; i < all && i < *count; ++i) {
            pages[i] = {.address = i * 4096ULL, .size = 4096, .status = i < reserved ? kPageReserved : kPagePending};
        }
    }
    *count = all;
    return kSuccess;
}
Status rsmi_compute_process_info_get(ProcessInfo* out, std::uint32_t* count) {
    const auto all = processes();
    std::uint32_t written = 0;
    std::vector<std::uint32_t> seen;
    for (const Process& process : all) {
        bool known = false;
        for (const std::uint32_t pid : seen) known = known || pid == process.pid;
        if (known) continue;
        seen.push_back(process.pid);
        if (out != nullptr && written < *count) {
            out[written] = {process.pid, 0, process.bytes, 0, 0xFFFFFFFF};
            ++written;
        }
    }
    *count = out != nullptr ? written : static_cast<std::uint32_t>(seen.size());
    return out != nullptr && written < seen.size() ? kInsufficientSize : kSuccess;
}
Status rsmi_compute_process_gpus_get(std::uint32_t pid, std::uint32_t* gpus, std::uint32_t* count) {
    std::uint32_t written = 0;
    for (const Process& process : processes()) {
        if (process.pid == pid && written < *count) gpus[written++] = process.gpu;
    }
    *count = written;
    return written > 0 ? kSuccess : kNotFound;
}
Status rsmi_compute_process_info_by_device_get(std::uint32_t pid, std::uint32_t gpu, ProcessOnGpu* out) {
    if (State::instance().number(-1, "by_device", 1) == 0) return kNotSupported;
    for (const Process& process : processes()) {
        if (process.pid != pid || process.gpu != gpu) continue;
        out->info = {pid, 0, process.bytes, 0,
                     static_cast<std::uint32_t>(State::instance().number(-1, "occupancy", 0xFFFFFFFF))};
        return kSuccess;
    }
    return kNotFound;
}

}  // extern "C"
