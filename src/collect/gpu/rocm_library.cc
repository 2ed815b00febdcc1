#include "collect/gpu/rocm_library.h"

#include <dlfcn.h>

#include <filesystem>
#include <system_error>
#include <vector>

namespace stoker::collect::rocm {
namespace {

constexpr const char* kDriver = "/sys/module/amdgpu";

// By major version, the newest first: ROCm's own packages (5 to 7), Debian's (1), and what a development package
// leaves.
const std::vector<std::string>& default_names() {
    static const std::vector<std::string> names = {"librocm_smi64.so.7", "librocm_smi64.so.6",
                                                   "librocm_smi64.so.5", "librocm_smi64.so.1",
                                                   "librocm_smi64.so",   "/opt/rocm/lib/librocm_smi64.so"};
    return names;
}

template <typename Function>
void find(void* library, Function*& function, const char* name) {
    function = reinterpret_cast<Function*>(dlsym(library, name));
}

}  // namespace

Result<std::shared_ptr<const Library>> Library::open(const std::string& path) {
    // Without the kernel's driver the library fails to initialise, and writes to standard error each time it is tried.
    std::error_code unknown;
    if (path.empty() && !std::filesystem::exists(kDriver, unknown)) {
        return Error{Errc::NotFound, "AMD's driver (amdgpu) is not loaded"};
    }
    std::shared_ptr<Library> library(new Library);
    std::string why;
    std::string name;
    for (const std::string& each : path.empty() ? default_names() : std::vector<std::string>{path}) {
        name = each;
        library->handle_ = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library->handle_ != nullptr) break;
        const char* said = dlerror();  // NOLINT(concurrency-mt-unsafe): glibc keeps it by thread.
        if (why.empty()) why = said != nullptr ? said : name + ": can't be loaded";
    }
    if (library->handle_ == nullptr) {
        return Error{
            Errc::NotFound,
            path.empty() ? "AMD's driver is loaded, but librocm_smi64.so can't be found: install ROCm SMI" : why};
    }
    library->load();
    const Api& api = library->api_;
    if (api.init == nullptr || api.count == nullptr || api.busy == nullptr) {
        return Error{Errc::Unavailable, name + " lacks ROCm SMI's functions: is it AMD's library?"};
    }
    const Status status = api.init(0);
    if (status != kSuccess) return Error{Errc::Unavailable, "rsmi_init: " + library->describe(status)};
    library->initialized_ = true;
    return std::shared_ptr<const Library>(std::move(library));
}

Library::~Library() {
    if (initialized_ && api_.shutdown != nullptr) api_.shutdown();
    if (handle_ != nullptr) dlclose(handle_);
}

std::string Library::describe(Status status) const {
    const char* text = nullptr;
    if (api_.status_string != nullptr) api_.status_string(status, &text);
    return (text != nullptr ? std::string(text) : "error") + " (" + std::to_string(status) + ")";
}

void Library::load() {
    void* l = handle_;
    find(l, api_.init, "rsmi_init");
    find(l, api_.shutdown, "rsmi_shut_down");
    find(l, api_.status_string, "rsmi_status_string");
    find(l, api_.count, "rsmi_num_monitor_devices");
    find(l, api_.version, "rsmi_version_str_get");
    find(l, api_.name, "rsmi_dev_name_get");
    find(l, api_.market_name, "rsmi_dev_market_name_get");
    find(l, api_.unique_id, "rsmi_dev_unique_id_get");
    find(l, api_.serial, "rsmi_dev_serial_number_get");
    find(l, api_.vbios, "rsmi_dev_vbios_version_get");
    find(l, api_.pci_id, "rsmi_dev_pci_id_get");
    find(l, api_.busy, "rsmi_dev_busy_percent_get");
    find(l, api_.memory_busy, "rsmi_dev_memory_busy_percent_get");
    find(l, api_.memory_total, "rsmi_dev_memory_total_get");
    find(l, api_.memory_used, "rsmi_dev_memory_usage_get");
    find(l, api_.temperature, "rsmi_dev_temp_metric_get");
    find(l, api_.power_average, "rsmi_dev_power_ave_get");
    find(l, api_.power, "rsmi_dev_power_get");
    find(l, api_.power_cap, "rsmi_dev_power_cap_get");
    find(l, api_.power_cap_default, "rsmi_dev_power_cap_default_get");
    find(l, api_.power_cap_range, "rsmi_dev_power_cap_range_get");
    find(l, api_.energy, "rsmi_dev_energy_count_get");
    find(l, api_.clock, "rsmi_dev_gpu_clk_freq_get");
    find(l, api_.pcie_bandwidth, "rsmi_dev_pci_bandwidth_get");
    find(l, api_.pcie_replays, "rsmi_dev_pci_replay_counter_get");
    find(l, api_.fan, "rsmi_dev_fan_speed_get");
    find(l, api_.fan_max, "rsmi_dev_fan_speed_max_get");
    find(l, api_.ecc_enabled, "rsmi_dev_ecc_enabled_get");
    find(l, api_.ecc_count, "rsmi_dev_ecc_count_get");
    find(l, api_.retired_pages, "rsmi_dev_memory_reserved_pages_get");
    find(l, api_.processes, "rsmi_compute_process_info_get");
    find(l, api_.process_gpus, "rsmi_compute_process_gpus_get");
    find(l, api_.process_on_gpu, "rsmi_compute_process_info_by_device_get");
}

}  // namespace stoker::collect::rocm
