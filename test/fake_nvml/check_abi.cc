// Our declarations of NVML beside NVIDIA's own header: compile it on a machine that has one.
//
//   g++ -std=c++20 -fsyntax-only -I src -I /usr/local/cuda/include test/fake_nvml/check_abi.cc
#include <nvml.h>

#include <cstddef>

#include "collect/gpu/nvml_api.h"

namespace ours = stoker::collect::nvml;

#define SAME_SIZE(ours_type, theirs) static_assert(sizeof(ours::ours_type) == sizeof(theirs), #theirs)
#define SAME_PLACE(ours_type, member, theirs, their_member) \
    static_assert(offsetof(ours::ours_type, member) == offsetof(theirs, their_member), #theirs "." #their_member)

SAME_SIZE(PciInfo, nvmlPciInfo_t);
SAME_PLACE(PciInfo, bus, nvmlPciInfo_t, bus);
SAME_SIZE(Utilization, nvmlUtilization_t);
SAME_SIZE(MemoryV2, nvmlMemory_v2_t);
SAME_PLACE(MemoryV2, used, nvmlMemory_v2_t, used);
SAME_PLACE(MemoryV2, reserved, nvmlMemory_v2_t, reserved);
SAME_SIZE(Bar1Memory, nvmlBAR1Memory_t);
SAME_SIZE(ViolationTime, nvmlViolationTime_t);
SAME_SIZE(RowRemapperHistogram, nvmlRowRemapperHistogramValues_t);
SAME_SIZE(ProcessInfo, nvmlProcessInfo_t);
SAME_PLACE(ProcessInfo, used_memory, nvmlProcessInfo_t, usedGpuMemory);
SAME_SIZE(ProcessUtilization, nvmlProcessUtilizationSample_t);
SAME_PLACE(ProcessUtilization, sm, nvmlProcessUtilizationSample_t, smUtil);
SAME_SIZE(FieldValue, nvmlFieldValue_t);
SAME_PLACE(FieldValue, result, nvmlFieldValue_t, nvmlReturn);
SAME_PLACE(FieldValue, value, nvmlFieldValue_t, value);
SAME_SIZE(EventData, nvmlEventData_t);
SAME_PLACE(EventData, data, nvmlEventData_t, eventData);
SAME_SIZE(DeviceAttributes, nvmlDeviceAttributes_t);
SAME_PLACE(DeviceAttributes, memory_mib, nvmlDeviceAttributes_t, memorySizeMB);
SAME_SIZE(GpmSupport, nvmlGpmSupport_t);
SAME_SIZE(GpmMetric, nvmlGpmMetric_t);
SAME_PLACE(GpmMetric, value, nvmlGpmMetric_t, value);
SAME_PLACE(GpmMetricsGet, metrics, nvmlGpmMetricsGet_t, metrics);
static_assert(ours::kGpmMost >= NVML_GPM_METRIC_MAX);
static_assert(ours::kMemoryVersion2 == nvmlMemory_v2);
static_assert(ours::kMostLinks == NVML_NVLINK_MAX_LINKS);
static_assert(ours::kFieldMemoryTemperature == NVML_FI_DEV_MEMORY_TEMP);
static_assert(ours::kFieldNvlinkDataTx == NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX);
static_assert(ours::kFieldPowerInstant == NVML_FI_DEV_POWER_INSTANT);
static_assert(ours::kFieldRecoveryAction == NVML_FI_DEV_GET_GPU_RECOVERY_ACTION);
static_assert(ours::kEventXid == nvmlEventTypeXidCriticalError);
static_assert(ours::kGpuIsLost == NVML_ERROR_GPU_IS_LOST && ours::kTimeout == NVML_ERROR_TIMEOUT);
static_assert(ours::kInsufficientSize == NVML_ERROR_INSUFFICIENT_SIZE && ours::kNotFound == NVML_ERROR_NOT_FOUND);
static_assert(ours::kArgumentVersionMismatch == NVML_ERROR_ARGUMENT_VERSION_MISMATCH);
static_assert(ours::kDeprecated == NVML_ERROR_DEPRECATED);
