// A stand-in for NVIDIA's management library that does as it is told: it can lie, fail, hang, and lose a GPU.
// Built as libfake_nvml.so; README.md beside it says how to drive it.
#include <cmath>
#include <cstdio>
#include <cstring>

#include "collect/gpu/nvml_api.h"
#include "fake_state.h"

using namespace stoker::collect::nvml;

namespace {

using fake::State;

constexpr int kMostGpus = 16;
constexpr int kMostInstances = 7;

struct FakeDevice {
    int gpu;
    int instance;  // -1: the whole GPU.
};

FakeDevice* device_at(int gpu, int instance) {
    static FakeDevice all[kMostGpus][kMostInstances + 1];
    FakeDevice& device = all[gpu][instance + 1];
    device = {gpu, instance};
    return &device;
}

Device handle_of(int gpu, int instance = -1) {
    return reinterpret_cast<Device>(device_at(gpu, instance));
}

const FakeDevice& device_of(Device handle) {
    return *reinterpret_cast<const FakeDevice*>(handle);
}

double value(Device device, const char* key, double fallback) {
    return State::instance().number(device_of(device).gpu, key, fallback);
}

// Seconds of wall clock: counters go on between processes, as the driver's do.
double seconds() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// What every call does first: hang, fail, or say that the GPU is gone.
Return enter(Device device, const char* call) {
    State& state = State::instance();
    const int gpu = device_of(device).gpu;
    while (state.number(gpu, "hang", 0) > 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (state.number(gpu, "lost", 0) > 0) return kGpuIsLost;
    return static_cast<Return>(state.number(gpu, std::string("fail.") + call, kSuccess));
}

// One number, by the key of the same name as the call; -1 is what the GPU does not have.
template <typename Number>
Return give(Device device, const char* call, double fallback, Number* out, double scale = 1) {
    const Return code = enter(device, call);
    if (code != kSuccess) return code;
    const double told = value(device, call, fallback);
    if (told < 0) return kNotSupported;
    *out = static_cast<Number>(std::llround(told * scale));
    return kSuccess;
}

Return copy(Device device, const char* call, const std::string& fallback, char* out, unsigned size) {
    const Return code = enter(device, call);
    if (code != kSuccess) return code;
    std::snprintf(out, size, "%s", State::instance().text(device_of(device).gpu, call, fallback).c_str());
    return kSuccess;
}

double energy(Device device) {
    if (value(device, "energy", -1) >= 0) return value(device, "energy", 0);
    return std::fmod(seconds(), 1e6) * value(device, "power", 300);
}

}  // namespace

namespace fake {
namespace {
const char* variable() {
    return "STOKER_FAKE_NVML";
}
}  // namespace
}  // namespace fake

extern "C" {

Return nvmlInit_v2() {
    return static_cast<Return>(State::instance().number(-1, "init", kSuccess));
}
Return nvmlShutdown() {
    return kSuccess;
}
const char* nvmlErrorString(Return code) {
    switch (code) {
        case kGpuIsLost:
            return "GPU is lost";
        case kTimeout:
            return "Timeout";
        case kDriverNotLoaded:
            return "Driver Not Loaded";
        default:
            return "Unknown Error";
    }
}
Return nvmlSystemGetDriverVersion(char* out, unsigned size) {
    std::snprintf(out, size, "%s", State::instance().text(-1, "driver", "580.00.01").c_str());
    return kSuccess;
}
Return nvmlSystemGetCudaDriverVersion_v2(int* out) {
    *out = 13000;
    return kSuccess;
}
Return nvmlDeviceGetCount_v2(unsigned* count) {
    *count = static_cast<unsigned>(State::instance().number(-1, "gpus", 1));
    return kSuccess;
}
Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device) {
    *device = handle_of(static_cast<int>(index));
    return enter(*device, "handle");
}
Return nvmlDeviceGetName(Device device, char* out, unsigned size) {
    return copy(device, "name", "NVIDIA H100 80GB HBM3", out, size);
}
Return nvmlDeviceGetUUID(Device device, char* out, unsigned size) {
    const FakeDevice& self = device_of(device);
    const std::string own = "GPU-fa4e0000-0000-0000-0000-00000000000" + std::to_string(self.gpu);
    const std::string uuid = self.instance < 0 ? own
                                               : "MIG-fa4e0000-0000-0000-0000-0000000000" + std::to_string(self.gpu) +
                                                     std::to_string(self.instance);
    return copy(device, "uuid", uuid, out, size);
}
Return nvmlDeviceGetSerial(Device device, char* out, unsigned size) {
    return copy(device, "serial", "1650000000000", out, size);
}
Return nvmlDeviceGetVbiosVersion(Device device, char* out, unsigned size) {
    return copy(device, "vbios", "96.00.00.00.01", out, size);
}
Return nvmlDeviceGetPciInfo_v3(Device device, PciInfo* out) {
    *out = {};
    out->bus = 0x3b + static_cast<unsigned>(device_of(device).gpu);
    return enter(device, "pci");
}
Return nvmlDeviceGetArchitecture(Device device, unsigned* out) {
    return give(device, "architecture", 9, out);
}
Return nvmlDeviceGetUtilizationRates(Device device, Utilization* out) {
    const Return code = give(device, "utilization", 90, &out->gpu);
    return code == kSuccess ? give(device, "memory_io", 40, &out->memory) : code;
}
Return nvmlDeviceGetEncoderUtilization(Device device, unsigned* out, unsigned* period) {
    *period = 1'000'000;
    return give(device, "encoder", 0, out);
}
Return nvmlDeviceGetDecoderUtilization(Device device, unsigned* out, unsigned* period) {
    *period = 1'000'000;
    return give(device, "decoder", 0, out);
}
Return nvmlDeviceGetJpgUtilization(Device device, unsigned* out, unsigned* period) {
    *period = 1'000'000;
    return give(device, "jpeg", -1, out);
}
Return nvmlDeviceGetOfaUtilization(Device device, unsigned* out, unsigned* period) {
    *period = 1'000'000;
    return give(device, "ofa", -1, out);
}
Return nvmlDeviceGetBAR1MemoryInfo(Device device, Bar1Memory* out) {
    *out = {};
    constexpr double kMiB = 1 << 20;
    const Return code = give(device, "bar1_total", -1, &out->total, kMiB);
    return code == kSuccess ? give(device, "bar1_used", 0, &out->used, kMiB) : code;
}
Return nvmlDeviceGetMemoryInfo_v2(Device device, MemoryV2* out) {
    const Return code = enter(device, "memory");
    if (code != kSuccess) return code;
    if (out->version != kMemoryVersion2) return kArgumentVersionMismatch;
    constexpr double kMiB = 1 << 20;
    const double share = device_of(device).instance < 0 ? 1 : 0.125;
    out->total = static_cast<unsigned long long>(value(device, "memory_total", 81'920) * share * kMiB);
    out->used = static_cast<unsigned long long>(value(device, "memory_used", 61'440) * share * kMiB);
    out->reserved = static_cast<unsigned long long>(value(device, "memory_reserved", 512) * share * kMiB);
    out->free = out->total - out->used - out->reserved;
    return kSuccess;
}
Return nvmlDeviceGetTemperature(Device device, int, unsigned* out) {
    return give(device, "temperature", 61, out);
}
Return nvmlDeviceGetTemperatureThreshold(Device device, int which, unsigned* out) {
    static const char* const names[] = {"shutdown_temperature", "slowdown_temperature", "memory_max_temperature",
                                        "max_temperature"};
    static const double usual[] = {92, 89, 95, 87};
    if (which < 0 || which > 3) return kNotSupported;
    return give(device, names[which], usual[which], out);
}
Return nvmlDeviceGetPowerUsage(Device device, unsigned* out) {
    return give(device, "power", 300, out, 1e3);
}
Return nvmlDeviceGetEnforcedPowerLimit(Device device, unsigned* out) {
    return give(device, "power_limit", 700, out, 1e3);
}
Return nvmlDeviceGetPowerManagementDefaultLimit(Device device, unsigned* out) {
    return give(device, "power_default", 700, out, 1e3);
}
Return nvmlDeviceGetPowerManagementLimitConstraints(Device device, unsigned* least, unsigned* most) {
    *least = 200'000;
    *most = 700'000;
    return enter(device, "power_range");
}
Return nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long* out) {
    const Return code = enter(device, "energy");
    if (code == kSuccess) *out = static_cast<unsigned long long>(energy(device) * 1e3);
    return code;
}
Return nvmlDeviceGetClockInfo(Device device, int which, unsigned* out) {
    static const char* const names[] = {"graphics_clock", "sm_clock", "memory_clock", "video_clock"};
    static const double usual[] = {1980, 1980, 2619, 1545};
    return which < 0 || which > 3 ? kNotSupported : give(device, names[which], usual[which], out);
}
Return nvmlDeviceGetMaxClockInfo(Device device, int which, unsigned* out) {
    static const double usual[] = {1980, 1980, 2619, 1545};
    return which < 0 || which > 3 ? kNotSupported : give(device, "max_clock", usual[which], out);
}
Return nvmlDeviceGetPerformanceState(Device device, int* out) {
    return give(device, "performance_state", 0, out);
}
Return nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long* out) {
    return give(device, "clock_reasons", 0, out);
}
Return nvmlDeviceGetViolationStatus(Device device, int policy, ViolationTime* out) {
    const Return code = enter(device, "violation");
    if (code != kSuccess) return code;
    if (policy > 5) return kNotSupported;
    out->reference_us = static_cast<unsigned long long>(seconds() * 1e6);
    static const char* const names[] = {"limited_power",       "limited_thermal",         "limited_sync_boost",
                                        "limited_board_limit", "limited_low_utilization", "limited_reliability"};
    out->violation_ns =
        static_cast<unsigned long long>(value(device, names[policy], value(device, "limited", 0)) * 1e9);
    return kSuccess;
}
Return nvmlDeviceGetEccMode(Device device, int* current, int* pending) {
    *pending = 1;
    return give(device, "ecc_enabled", 1, current);
}
Return nvmlDeviceGetTotalEccErrors(Device device, int type, int lifetime, unsigned long long* out) {
    static const char* const names[2][2] = {{"ecc_corrected", "ecc_corrected_lifetime"},
                                            {"ecc_uncorrected", "ecc_uncorrected_lifetime"}};
    return give(device, names[type & 1][lifetime & 1], 0, out);
}
Return nvmlDeviceGetRemappedRows(Device device, unsigned* corrected, unsigned* uncorrected, unsigned* pending,
                                 unsigned* failed) {
    *corrected = static_cast<unsigned>(value(device, "remapped_corrected", 0));
    *uncorrected = static_cast<unsigned>(value(device, "remapped_uncorrected", 0));
    *pending = static_cast<unsigned>(value(device, "remap_pending", 0));
    *failed = static_cast<unsigned>(value(device, "remap_failed", 0));
    return enter(device, "remapped_rows");
}
Return nvmlDeviceGetRowRemapperHistogram(Device device, RowRemapperHistogram* out) {
    *out = {};
    return give(device, "remap_banks_max", -1, &out->max);
}
Return nvmlDeviceGetRetiredPages(Device device, int, unsigned* count, unsigned long long*) {
    const Return code = give(device, "retired_pages", -1, count);
    return code == kSuccess && *count > 0 ? kInsufficientSize : code;
}
Return nvmlDeviceGetCurrPcieLinkGeneration(Device device, unsigned* out) {
    return give(device, "pcie_generation", 5, out);
}
Return nvmlDeviceGetCurrPcieLinkWidth(Device device, unsigned* out) {
    return give(device, "pcie_width", 16, out);
}
Return nvmlDeviceGetMaxPcieLinkGeneration(Device device, unsigned* out) {
    return give(device, "pcie_generation_max", 5, out);
}
Return nvmlDeviceGetMaxPcieLinkWidth(Device device, unsigned* out) {
    return give(device, "pcie_width_max", 16, out);
}
Return nvmlDeviceGetPcieReplayCounter(Device device, unsigned* out) {
    return give(device, "pcie_replays", 0, out);
}
Return nvmlDeviceGetNvLinkState(Device device, unsigned link, int* active) {
    const Return code = enter(device, "nvlink_state");
    if (code != kSuccess) return code;
    const auto links = static_cast<unsigned>(value(device, "nvlinks", 18));
    if (link >= links) return kInvalidArgument;
    *active = link >= static_cast<unsigned>(value(device, "nvlinks_down", 0)) ? 1 : 0;
    return kSuccess;
}
Return nvmlDeviceGetNvLinkErrorCounter(Device device, unsigned link, int kind, unsigned long long* out) {
    static const char* const names[] = {"nvlink_replays", "nvlink_recoveries", "nvlink_crc_flit", "nvlink_crc_data"};
    if (kind < 0 || kind > 3) return kNotSupported;
    *out = link == 5 ? static_cast<unsigned long long>(value(device, names[kind], 0)) : 0;
    return enter(device, "nvlink_errors");
}
Return nvmlDeviceGetFieldValues(Device device, int count, FieldValue* fields) {
    const Return code = enter(device, "fields");
    if (code != kSuccess) return code;
    for (int i = 0; i < count; ++i) {
        FieldValue& field = fields[i];
        field.result = kSuccess;
        field.type = 3;
        switch (field.field) {
            case kFieldMemoryTemperature:
                field.type = 1;
                field.result = give(device, "memory_temperature", 70, &field.value.as_unsigned);
                break;
            case kFieldPowerInstant:
                field.type = 1;
                field.result = give(device, "power_instant", 310, &field.value.as_unsigned, 1e3);
                break;
            case kFieldRecoveryAction:
                field.type = 1;
                field.result = give(device, "recovery_action", 0, &field.value.as_unsigned);
                break;
            case kFieldNvlinkDataTx:
            case kFieldNvlinkDataRx:
                field.result = give(device, "nvlink_bytes", 4096, &field.value.as_unsigned_long_long);
                if (field.scope != kAllLinks) field.value.as_unsigned_long_long = 0;
                break;
            default:
                field.result = kNotSupported;
        }
    }
    return kSuccess;
}
// "processes=PID:MIB,PID:MIB"
Return nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned* count, ProcessInfo* out) {
    const Return code = enter(device, "processes");
    if (code != kSuccess) return code;
    const std::string list = State::instance().text(device_of(device).gpu, "processes");
    unsigned found = 0;
    for (const char* at = list.c_str(); *at != 0;) {
        char* end = nullptr;
        const auto pid = static_cast<unsigned>(std::strtoul(at, &end, 10));
        unsigned long long mib = 0;
        if (*end == ':') mib = std::strtoull(end + 1, &end, 10);
        if (found < *count) out[found] = {pid, mib << 20, kNoInstance, kNoInstance};
        ++found;
        at = *end == ',' ? end + 1 : end + std::strlen(end);
    }
    const bool fits = found <= *count;
    *count = found;
    return fits ? kSuccess : kInsufficientSize;
}
Return nvmlDeviceGetProcessUtilization(Device device, ProcessUtilization* out, unsigned* count,
                                       unsigned long long since_us) {
    ProcessInfo list[64];
    unsigned listed = 64;
    const Return code = nvmlDeviceGetComputeRunningProcesses_v3(device, &listed, list);
    if (code != kSuccess) return code;
    const auto now_us = static_cast<unsigned long long>(seconds() * 1e6);
    if (listed == 0 || now_us <= since_us) return kNotFound;
    *count = std::min(listed, *count);
    for (unsigned i = 0; i < *count; ++i) {
        out[i] = {list[i].pid, now_us, static_cast<unsigned>(value(device, "process_sm", 55)), 20, 0, 0};
    }
    return kSuccess;
}
Return nvmlDeviceGetMigMode(Device device, unsigned* current, unsigned* pending) {
    *pending = 0;
    const Return code = enter(device, "mig_mode");
    *current = value(device, "instances", 0) > 0 ? 1 : 0;
    return code;
}
Return nvmlDeviceGetMaxMigDeviceCount(Device, unsigned* count) {
    *count = kMostInstances;
    return kSuccess;
}
Return nvmlDeviceGetMigDeviceHandleByIndex(Device device, unsigned index, Device* mig) {
    if (static_cast<double>(index) >= value(device, "instances", 0)) return kNotFound;
    *mig = handle_of(device_of(device).gpu, static_cast<int>(index));
    return kSuccess;
}
// Two compute instances share GPU instance 1: indexes 0 and 1.
Return nvmlDeviceGetGpuInstanceId(Device mig, unsigned* id) {
    const int index = device_of(mig).instance;
    if (index < 0) return kInvalidArgument;
    *id = index <= 1 ? 1 : static_cast<unsigned>(index);
    return kSuccess;
}
Return nvmlDeviceGetAttributes_v2(Device mig, DeviceAttributes* out) {
    *out = {};
    out->gpu_slices = 1;
    out->memory_mib = 9728;
    return enter(mig, "attributes");
}

Return nvmlGpmQueryDeviceSupport(Device device, GpmSupport* out) {
    out->supported = value(device, "architecture", 9) >= 9 ? 1 : 0;
    return enter(device, "gpm_support");
}
struct FakeSample {
    Device device;
};
Return nvmlGpmSampleAlloc(GpmSample* out) {
    *out = reinterpret_cast<GpmSample>(new FakeSample{});
    return kSuccess;
}
Return nvmlGpmSampleFree(GpmSample sample) {
    delete reinterpret_cast<FakeSample*>(sample);
    return kSuccess;
}
Return nvmlGpmSampleGet(Device device, GpmSample sample) {
    reinterpret_cast<FakeSample*>(sample)->device = device;
    return enter(device, "gpm");
}
Return nvmlGpmMigSampleGet(Device device, unsigned, GpmSample sample) {
    return nvmlGpmSampleGet(device, sample);
}
Return nvmlGpmMetricsGet(GpmMetricsGet* query) {
    if (query->version != 1) return kArgumentVersionMismatch;
    const Device device = reinterpret_cast<FakeSample*>(query->second)->device;
    const bool zero = value(device, "gpm_zero", 0) > 0;
    for (unsigned i = 0; i < query->count; ++i) {
        GpmMetric& metric = query->metrics[i];
        metric.result = kSuccess;
        const std::string key = "gpm." + std::to_string(metric.id);
        metric.value = zero ? 0 : value(device, key.c_str(), 10.0 + metric.id);
    }
    return kSuccess;
}

struct FakeEvents {
    std::size_t seen = 0;
};
Return nvmlEventSetCreate(EventSet* out) {
    *out = reinterpret_cast<EventSet>(new FakeEvents{State::instance().all("xid").size()});
    return kSuccess;
}
Return nvmlEventSetFree(EventSet set) {
    delete reinterpret_cast<FakeEvents*>(set);
    return kSuccess;
}
Return nvmlDeviceRegisterEvents(Device device, unsigned long long, EventSet) {
    return enter(device, "event_register");
}
// Each line "xid=GPU:CODE" is an event, in the order of the file; lines are only ever added.
Return nvmlEventSetWait_v2(EventSet set, EventData* out, unsigned timeout_ms) {
    auto* events = reinterpret_cast<FakeEvents*>(set);
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    for (;;) {
        const auto all = State::instance().all("xid");
        if (all.size() > events->seen) {
            char* rest = nullptr;
            const long gpu = std::strtol(all[events->seen].c_str(), &rest, 10);
            *out = {handle_of(static_cast<int>(gpu)), kEventXid,
                    *rest == ':' ? std::strtoull(rest + 1, nullptr, 10) : 0, kNoInstance, kNoInstance};
            ++events->seen;
            return kSuccess;
        }
        if (std::chrono::steady_clock::now() >= end) return kTimeout;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

}  // extern "C"
