#include "collect/gpu/nvml_library.h"

#include <dlfcn.h>

#include <initializer_list>

namespace stoker::collect::nvml {
namespace {

// The first of the names that the library has. Newer names first: a driver drops the old ones late, if ever.
template <typename Function>
void find(void* library, Function*& function, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        function = reinterpret_cast<Function*>(dlsym(library, name));
        if (function != nullptr) return;
    }
}

}  // namespace

Result<std::shared_ptr<const Library>> Library::open(const std::string& path) {
    const std::string name = path.empty() ? kDefaultLibrary : path;
    std::shared_ptr<Library> library(new Library);
    library->handle_ = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library->handle_ == nullptr) {
        const char* why = dlerror();  // NOLINT(concurrency-mt-unsafe): glibc keeps it by thread.
        return Error{Errc::NotFound, why != nullptr ? why : name + ": can't be loaded"};
    }
    library->load();
    const Api& api = library->api_;
    if (api.init == nullptr || api.count == nullptr || api.handle == nullptr || api.uuid == nullptr) {
        return Error{Errc::Unavailable, name + " lacks NVML's functions: is it NVIDIA's library?"};
    }
    const Return code = api.init();
    if (code != kSuccess) return Error{Errc::Unavailable, "nvmlInit: " + library->describe(code)};
    library->initialized_ = true;
    return std::shared_ptr<const Library>(std::move(library));
}

Library::~Library() {
    if (initialized_ && api_.shutdown != nullptr) api_.shutdown();
    if (handle_ != nullptr) dlclose(handle_);
}

std::string Library::describe(Return code) const {
    const char* text = api_.error_string != nullptr ? api_.error_string(code) : nullptr;
    return (text != nullptr ? std::string(text) : "error") + " (" + std::to_string(code) + ")";
}

void Library::load() {
    void* l = handle_;
    find(l, api_.init, {"nvmlInit_v2", "nvmlInit"});
    find(l, api_.shutdown, {"nvmlShutdown"});
    find(l, api_.error_string, {"nvmlErrorString"});
    find(l, api_.driver_version, {"nvmlSystemGetDriverVersion"});
    find(l, api_.cuda_version, {"nvmlSystemGetCudaDriverVersion_v2", "nvmlSystemGetCudaDriverVersion"});
    find(l, api_.count, {"nvmlDeviceGetCount_v2"});
    find(l, api_.handle, {"nvmlDeviceGetHandleByIndex_v2"});
    find(l, api_.name, {"nvmlDeviceGetName"});
    find(l, api_.uuid, {"nvmlDeviceGetUUID"});
    find(l, api_.serial, {"nvmlDeviceGetSerial"});
    find(l, api_.vbios, {"nvmlDeviceGetVbiosVersion"});
    find(l, api_.pci, {"nvmlDeviceGetPciInfo_v3"});
    find(l, api_.architecture, {"nvmlDeviceGetArchitecture"});
    find(l, api_.utilization, {"nvmlDeviceGetUtilizationRates"});
    find(l, api_.encoder, {"nvmlDeviceGetEncoderUtilization"});
    find(l, api_.decoder, {"nvmlDeviceGetDecoderUtilization"});
    find(l, api_.jpeg, {"nvmlDeviceGetJpgUtilization"});
    find(l, api_.ofa, {"nvmlDeviceGetOfaUtilization"});
    find(l, api_.memory, {"nvmlDeviceGetMemoryInfo_v2"});
    find(l, api_.bar1, {"nvmlDeviceGetBAR1MemoryInfo"});
    find(l, api_.temperature, {"nvmlDeviceGetTemperature"});
    find(l, api_.temperature_threshold, {"nvmlDeviceGetTemperatureThreshold"});
    find(l, api_.fan, {"nvmlDeviceGetFanSpeed"});
    find(l, api_.power, {"nvmlDeviceGetPowerUsage"});
    find(l, api_.power_limit, {"nvmlDeviceGetEnforcedPowerLimit"});
    find(l, api_.power_default, {"nvmlDeviceGetPowerManagementDefaultLimit"});
    find(l, api_.power_range, {"nvmlDeviceGetPowerManagementLimitConstraints"});
    find(l, api_.energy, {"nvmlDeviceGetTotalEnergyConsumption"});
    find(l, api_.clock, {"nvmlDeviceGetClockInfo"});
    find(l, api_.clock_max, {"nvmlDeviceGetMaxClockInfo"});
    find(l, api_.performance_state, {"nvmlDeviceGetPerformanceState"});
    find(l, api_.clock_reasons,
         {"nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"});
    find(l, api_.violation, {"nvmlDeviceGetViolationStatus"});
    find(l, api_.ecc_mode, {"nvmlDeviceGetEccMode"});
    find(l, api_.ecc_total, {"nvmlDeviceGetTotalEccErrors"});
    find(l, api_.remapped_rows, {"nvmlDeviceGetRemappedRows"});
    find(l, api_.remapper_histogram, {"nvmlDeviceGetRowRemapperHistogram"});
    find(l, api_.retired_pages, {"nvmlDeviceGetRetiredPages"});
    find(l, api_.retired_pending, {"nvmlDeviceGetRetiredPagesPendingStatus"});
    find(l, api_.pcie_generation, {"nvmlDeviceGetCurrPcieLinkGeneration"});
    find(l, api_.pcie_width, {"nvmlDeviceGetCurrPcieLinkWidth"});
    find(l, api_.pcie_generation_max, {"nvmlDeviceGetMaxPcieLinkGeneration"});
    find(l, api_.pcie_width_max, {"nvmlDeviceGetMaxPcieLinkWidth"});
    find(l, api_.pcie_replays, {"nvmlDeviceGetPcieReplayCounter"});
    find(l, api_.nvlink_state, {"nvmlDeviceGetNvLinkState"});
    find(l, api_.nvlink_errors, {"nvmlDeviceGetNvLinkErrorCounter"});
    find(l, api_.fields, {"nvmlDeviceGetFieldValues"});
    find(l, api_.compute_processes, {"nvmlDeviceGetComputeRunningProcesses_v3"});
    find(l, api_.graphics_processes, {"nvmlDeviceGetGraphicsRunningProcesses_v3"});
    find(l, api_.process_utilization, {"nvmlDeviceGetProcessUtilization"});
    find(l, api_.mig_mode, {"nvmlDeviceGetMigMode"});
    find(l, api_.mig_count, {"nvmlDeviceGetMaxMigDeviceCount"});
    find(l, api_.mig_handle, {"nvmlDeviceGetMigDeviceHandleByIndex"});
    find(l, api_.gpu_instance, {"nvmlDeviceGetGpuInstanceId"});
    find(l, api_.compute_instance, {"nvmlDeviceGetComputeInstanceId"});
    find(l, api_.attributes, {"nvmlDeviceGetAttributes_v2"});
    find(l, api_.gpm_support, {"nvmlGpmQueryDeviceSupport"});
    find(l, api_.gpm_alloc, {"nvmlGpmSampleAlloc"});
    find(l, api_.gpm_free, {"nvmlGpmSampleFree"});
    find(l, api_.gpm_sample, {"nvmlGpmSampleGet"});
    find(l, api_.gpm_mig_sample, {"nvmlGpmMigSampleGet"});
    find(l, api_.gpm_metrics, {"nvmlGpmMetricsGet"});
    find(l, api_.event_create, {"nvmlEventSetCreate"});
    find(l, api_.event_free, {"nvmlEventSetFree"});
    find(l, api_.event_register, {"nvmlDeviceRegisterEvents"});
    find(l, api_.event_wait, {"nvmlEventSetWait_v2"});
}

}  // namespace stoker::collect::nvml
