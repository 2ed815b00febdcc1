// NVIDIA's management library (NVML) as far as we call it: our own declarations of its stable C interface, so that no
// header or library of NVIDIA's is needed to build.
//
// Names, layouts and numbers are those of nvml.h (drivers 450 to 580); a layout that is versioned says so in its first
// field. Sizes are checked below, and on a machine with the real header by test/fake_nvml/check_abi.cc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stoker::collect::nvml {

using Device = struct DeviceOpaque*;
using EventSet = struct EventSetOpaque*;
using GpmSample = struct GpmSampleOpaque*;
using Return = int;

inline constexpr Return kSuccess = 0;
inline constexpr Return kUninitialized = 1;
inline constexpr Return kInvalidArgument = 2;
inline constexpr Return kNotSupported = 3;
inline constexpr Return kNoPermission = 4;
inline constexpr Return kNotFound = 6;
inline constexpr Return kInsufficientSize = 7;
inline constexpr Return kDriverNotLoaded = 9;
inline constexpr Return kTimeout = 10;
inline constexpr Return kFunctionNotFound = 13;
inline constexpr Return kGpuIsLost = 15;
inline constexpr Return kLibRmVersionMismatch = 18;
inline constexpr Return kArgumentVersionMismatch = 25;
inline constexpr Return kDeprecated = 26;

struct PciInfo {
    char bus_id_legacy[16];
    unsigned domain, bus, device, device_id, subsystem_id;
    char bus_id[32];
};
struct Utilization {
    unsigned gpu, memory;  // Percent.
};
struct MemoryV2 {
    unsigned version;
    unsigned long long total, reserved, free, used;  // Bytes; free + used + reserved = total.
};
struct Bar1Memory {
    unsigned long long total, free, used;
};
struct ViolationTime {
    unsigned long long reference_us, violation_ns;
};
struct RowRemapperHistogram {
    unsigned max, high, partial, low, none;  // Banks, by how many spare rows they have left.
};
struct ProcessInfo {
    unsigned pid;
    unsigned long long used_memory;  // kUnknownMemory where the driver can't tell.
    unsigned gpu_instance, compute_instance;
};
struct ProcessUtilization {
    unsigned pid;
    unsigned long long timestamp_us;
    unsigned sm, memory, encoder, decoder;  // Percent.
};
union Value {
    double as_double;
    int as_int;
    unsigned as_unsigned;
    unsigned long as_unsigned_long;
    unsigned long long as_unsigned_long_long;
    long long as_long_long;
    unsigned short as_unsigned_short;
};
struct FieldValue {
    unsigned field, scope;
    long long timestamp_us, latency_us;
    int type;
    Return result;
    Value value;
};
struct EventData {
    Device device;
    unsigned long long type, data;
    unsigned gpu_instance, compute_instance;
};
struct DeviceAttributes {
    unsigned multiprocessors, copy_engines, decoders, encoders, jpegs, ofas, gpu_slices, compute_slices;
    unsigned long long memory_mib;
};
struct GpmSupport {
    unsigned version, supported;
};
struct GpmMetric {
    unsigned id;
    Return result;
    double value;
    const char *short_name, *long_name, *unit;
};
inline constexpr std::size_t kGpmMost =
    333;  // NVML_GPM_METRIC_MAX of driver 580; only the first `count` are looked at.
struct GpmMetricsGet {
    unsigned version, count;
    GpmSample first, second;
    GpmMetric metrics[kGpmMost];
};

static_assert(sizeof(PciInfo) == 68 && sizeof(MemoryV2) == 40 && sizeof(ProcessInfo) == 24);
static_assert(sizeof(ProcessUtilization) == 32 && sizeof(FieldValue) == 40 && sizeof(EventData) == 32);
static_assert(sizeof(DeviceAttributes) == 40 && sizeof(GpmMetric) == 40 && offsetof(GpmMetricsGet, metrics) == 24);

inline constexpr unsigned kMemoryVersion2 = sizeof(MemoryV2) | (2U << 24);
inline constexpr unsigned long long kUnknownMemory = ~0ULL;
inline constexpr unsigned kNoInstance = ~0U;
inline constexpr unsigned kAllLinks = ~0U;
inline constexpr unsigned kMostLinks = 18;

// Of nvmlFieldValue_t.
inline constexpr unsigned kFieldMemoryTemperature = 82;
inline constexpr unsigned kFieldNvlinkLinkCount = 91;
inline constexpr unsigned kFieldNvlinkDataTx = 138;  // KiB, all links with scope kAllLinks.
inline constexpr unsigned kFieldNvlinkDataRx = 139;
inline constexpr unsigned kFieldPowerInstant = 186;    // Milliwatts.
inline constexpr unsigned kFieldRecoveryAction = 230;  // From driver 570 on.

inline constexpr unsigned long long kEventXid = 0x8;

// Every function that we know how to call; null where this driver's library has none.
struct Api {
    Return (*init)();
    Return (*shutdown)();
    const char* (*error_string)(Return);
    Return (*driver_version)(char*, unsigned);
    Return (*cuda_version)(int*);
    Return (*count)(unsigned*);
    Return (*handle)(unsigned, Device*);
    Return (*name)(Device, char*, unsigned);
    Return (*uuid)(Device, char*, unsigned);
    Return (*serial)(Device, char*, unsigned);
    Return (*vbios)(Device, char*, unsigned);
    Return (*pci)(Device, PciInfo*);
    Return (*architecture)(Device, unsigned*);
    Return (*utilization)(Device, Utilization*);
    Return (*encoder)(Device, unsigned*, unsigned*);
    Return (*decoder)(Device, unsigned*, unsigned*);
    Return (*jpeg)(Device, unsigned*, unsigned*);
    Return (*ofa)(Device, unsigned*, unsigned*);
    Return (*memory)(Device, MemoryV2*);
    Return (*bar1)(Device, Bar1Memory*);
    Return (*temperature)(Device, int, unsigned*);
    Return (*temperature_threshold)(Device, int, unsigned*);
    Return (*fan)(Device, unsigned*);
    Return (*power)(Device, unsigned*);
    Return (*power_limit)(Device, unsigned*);
    Return (*power_default)(Device, unsigned*);
    Return (*power_range)(Device, unsigned*, unsigned*);
    Return (*energy)(Device, unsigned long long*);
    Return (*clock)(Device, int, unsigned*);
    Return (*clock_max)(Device, int, unsigned*);
    Return (*performance_state)(Device, int*);
    Return (*clock_reasons)(Device, unsigned long long*);
    Return (*violation)(Device, int, ViolationTime*);
    Return (*ecc_mode)(Device, int*, int*);
    Return (*ecc_total)(Device, int, int, unsigned long long*);
    Return (*remapped_rows)(Device, unsigned*, unsigned*, unsigned*, unsigned*);
    Return (*remapper_histogram)(Device, RowRemapperHistogram*);
    Return (*retired_pages)(Device, int, unsigned*, unsigned long long*);
    Return (*retired_pending)(Device, int*);
    Return (*pcie_generation)(Device, unsigned*);
    Return (*pcie_width)(Device, unsigned*);
    Return (*pcie_generation_max)(Device, unsigned*);
    Return (*pcie_width_max)(Device, unsigned*);
    Return (*pcie_replays)(Device, unsigned*);
    Return (*nvlink_state)(Device, unsigned, int*);
    Return (*nvlink_errors)(Device, unsigned, int, unsigned long long*);
    Return (*fields)(Device, int, FieldValue*);
    Return (*compute_processes)(Device, unsigned*, ProcessInfo*);
    Return (*graphics_processes)(Device, unsigned*, ProcessInfo*);
    Return (*process_utilization)(Device, ProcessUtilization*, unsigned*, unsigned long long);
    Return (*mig_mode)(Device, unsigned*, unsigned*);
    Return (*mig_count)(Device, unsigned*);
    Return (*mig_handle)(Device, unsigned, Device*);
    Return (*gpu_instance)(Device, unsigned*);
    Return (*compute_instance)(Device, unsigned*);
    Return (*attributes)(Device, DeviceAttributes*);
    Return (*gpm_support)(Device, GpmSupport*);
    Return (*gpm_alloc)(GpmSample*);
    Return (*gpm_free)(GpmSample);
    Return (*gpm_sample)(Device, GpmSample);
    Return (*gpm_mig_sample)(Device, unsigned, GpmSample);
    Return (*gpm_metrics)(GpmMetricsGet*);
    Return (*event_create)(EventSet*);
    Return (*event_free)(EventSet);
    Return (*event_register)(Device, unsigned long long, EventSet);
    Return (*event_wait)(EventSet, EventData*, unsigned);
};

}  // namespace stoker::collect::nvml
