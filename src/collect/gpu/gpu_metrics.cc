#include "collect/gpu/gpu_metrics.h"

#include <array>
#include <map>

#include "base/text.h"

namespace stoker::collect {
namespace {

using R = GpuReading;
constexpr double kPercent = 100;
constexpr double kPerMiB = 1.0 / (1024 * 1024);
constexpr double kPerMega = 1e-6;
constexpr double kMilli = 1e3;
constexpr double kNano = 1e9;

// DCGM's names are those of dcgm-exporter's default and commented-out counters.
constexpr std::array kMetrics = {
    GpuMetric{"gpu_utilization_ratio", "", &R::utilization, "gauge",
              "Share of the driver's last sample period in which any kernel ran. Says nothing of how much of the GPU "
              "it used.",
              "DCGM_FI_DEV_GPU_UTIL", kPercent},
    GpuMetric{"gpu_memory_io_utilization_ratio", "", &R::memory_io, "gauge",
              "Share of the same period in which memory was read or written.", "DCGM_FI_DEV_MEM_COPY_UTIL", kPercent},
    GpuMetric{"gpu_media_utilization_ratio", "engine=encoder", &R::encoder, "gauge",
              "Share of time in which a media engine worked.", "DCGM_FI_DEV_ENC_UTIL", kPercent},
    GpuMetric{"gpu_media_utilization_ratio", "engine=decoder", &R::decoder, "gauge", "", "DCGM_FI_DEV_DEC_UTIL",
              kPercent},
    GpuMetric{"gpu_media_utilization_ratio", "engine=jpeg", &R::jpeg, "gauge", ""},
    GpuMetric{"gpu_media_utilization_ratio", "engine=ofa", &R::ofa, "gauge", ""},

    GpuMetric{"gpu_memory_total_bytes", "", &R::memory_total, "gauge",
              "Memory of the GPU: used, free and reserved together."},
    GpuMetric{"gpu_memory_used_bytes", "", &R::memory_used, "gauge", "Memory that processes hold.",
              "DCGM_FI_DEV_FB_USED", kPerMiB},
    GpuMetric{"gpu_memory_free_bytes", "", &R::memory_free, "gauge", "Memory that nobody holds.", "DCGM_FI_DEV_FB_FREE",
              kPerMiB},
    GpuMetric{"gpu_memory_reserved_bytes", "", &R::memory_reserved, "gauge",
              "Memory that driver and firmware keep for themselves.", "DCGM_FI_DEV_FB_RESERVED", kPerMiB},
    GpuMetric{"gpu_bar1_memory_total_bytes", "", &R::bar1_total, "gauge",
              "Window through which the CPU and other devices reach the GPU's memory."},
    GpuMetric{"gpu_bar1_memory_used_bytes", "", &R::bar1_used, "gauge", "Of that window, what is mapped."},

    GpuMetric{"gpu_temperature_celsius", "", &R::temperature, "gauge", "Temperature of the GPU.",
              "DCGM_FI_DEV_GPU_TEMP", 1},
    GpuMetric{"gpu_memory_temperature_celsius", "", &R::memory_temperature, "gauge", "Temperature of its memory.",
              "DCGM_FI_DEV_MEMORY_TEMP", 1},
    GpuMetric{"gpu_temperature_limit_celsius", "limit=shutdown", &R::shutdown_temperature, "gauge",
              "Temperatures at which the GPU acts: shuts down, slows down, lowers its clocks to stay below."},
    GpuMetric{"gpu_temperature_limit_celsius", "limit=slowdown", &R::slowdown_temperature, "gauge", ""},
    GpuMetric{"gpu_temperature_limit_celsius", "limit=max_operating", &R::max_temperature, "gauge", ""},
    GpuMetric{"gpu_fan_speed_ratio", "", &R::fan, "gauge", "Speed of the fan as a share of its maximum, as intended."},

    GpuMetric{"gpu_power_watts", "", &R::power, "gauge", "Power draw; on Ampere and later averaged over a second.",
              "DCGM_FI_DEV_POWER_USAGE", 1},
    GpuMetric{"gpu_power_instant_watts", "", &R::power_instant, "gauge", "Power draw at the moment of the look."},
    GpuMetric{"gpu_power_limit_watts", "limit=enforced", &R::power_limit, "gauge",
              "Limits of power: in force now, as shipped, and the range that may be set."},
    GpuMetric{"gpu_power_limit_watts", "limit=default", &R::power_default, "gauge", ""},
    GpuMetric{"gpu_power_limit_watts", "limit=min", &R::power_min, "gauge", ""},
    GpuMetric{"gpu_power_limit_watts", "limit=max", &R::power_max, "gauge", ""},
    GpuMetric{"gpu_energy_joules_total", "", &R::energy, "counter", "Energy used since the driver was loaded.",
              "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", kMilli},

    GpuMetric{"gpu_clock_hertz", "clock=sm", &R::sm_clock, "gauge", "Clocks now.", "DCGM_FI_DEV_SM_CLOCK", kPerMega},
    GpuMetric{"gpu_clock_hertz", "clock=memory", &R::memory_clock, "gauge", "", "DCGM_FI_DEV_MEM_CLOCK", kPerMega},
    GpuMetric{"gpu_clock_hertz", "clock=graphics", &R::graphics_clock, "gauge", ""},
    GpuMetric{"gpu_clock_hertz", "clock=video", &R::video_clock, "gauge", ""},
    GpuMetric{"gpu_clock_max_hertz", "clock=sm", &R::sm_clock_max, "gauge", "Highest clocks."},
    GpuMetric{"gpu_clock_max_hertz", "clock=memory", &R::memory_clock_max, "gauge", ""},
    GpuMetric{"gpu_clock_max_hertz", "clock=graphics", &R::graphics_clock_max, "gauge", ""},
    GpuMetric{"gpu_clock_max_hertz", "clock=video", &R::video_clock_max, "gauge", ""},
    GpuMetric{"gpu_performance_state", "", &R::performance_state, "gauge",
              "0 (fastest) to 15 (slowest); 32 is unknown."},
    GpuMetric{"gpu_clocks_limited_seconds_total", "reason=power", &R::limited_power, "counter",
              "Time for which clocks were held down, by reason.", "DCGM_FI_DEV_POWER_VIOLATION", kNano},
    GpuMetric{"gpu_clocks_limited_seconds_total", "reason=thermal", &R::limited_thermal, "counter", "",
              "DCGM_FI_DEV_THERMAL_VIOLATION", kNano},
    GpuMetric{"gpu_clocks_limited_seconds_total", "reason=sync_boost", &R::limited_sync, "counter", "",
              "DCGM_FI_DEV_SYNC_BOOST_VIOLATION", kNano},
    GpuMetric{"gpu_clocks_limited_seconds_total", "reason=board_limit", &R::limited_board, "counter", "",
              "DCGM_FI_DEV_BOARD_LIMIT_VIOLATION", kNano},
    GpuMetric{"gpu_clocks_limited_seconds_total", "reason=low_utilization", &R::limited_low_utilization, "counter", "",
              "DCGM_FI_DEV_LOW_UTIL_VIOLATION", kNano},
    GpuMetric{"gpu_clocks_limited_seconds_total", "reason=reliability", &R::limited_reliability, "counter", "",
              "DCGM_FI_DEV_RELIABILITY_VIOLATION", kNano},

    GpuMetric{"gpu_ecc_enabled", "", &R::ecc_enabled, "gauge", "1 if memory errors are detected and corrected."},
    GpuMetric{"gpu_ecc_errors_total", "type=corrected,since=driver_load", &R::ecc_corrected, "counter",
              "Memory errors, since the driver was loaded and over the GPU's life.", "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL",
              1},
    GpuMetric{"gpu_ecc_errors_total", "type=uncorrected,since=driver_load", &R::ecc_uncorrected, "counter", "",
              "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", 1},
    GpuMetric{"gpu_ecc_errors_total", "type=corrected,since=manufacture", &R::ecc_corrected_lifetime, "counter", "",
              "DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", 1},
    GpuMetric{"gpu_ecc_errors_total", "type=uncorrected,since=manufacture", &R::ecc_uncorrected_lifetime, "counter", "",
              "DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", 1},
    GpuMetric{"gpu_remapped_rows", "cause=corrected", &R::remapped_corrected, "gauge",
              "Rows of memory replaced by spare ones (Ampere and later), by the errors that led to it.",
              "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", 1},
    GpuMetric{"gpu_remapped_rows", "cause=uncorrected", &R::remapped_uncorrected, "gauge", "",
              "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", 1},
    GpuMetric{"gpu_row_remap_pending", "", &R::remap_pending, "gauge",
              "1 if a row will be replaced at the next reset of the GPU."},
    GpuMetric{"gpu_row_remap_failed", "", &R::remap_failed, "gauge",
              "1 if a row could not be replaced: the GPU is to be replaced.", "DCGM_FI_DEV_ROW_REMAP_FAILURE", 1},
    GpuMetric{"gpu_row_remap_banks", "spare=max", &R::remap_banks_max, "gauge",
              "Banks of memory by how many spare rows they have left."},
    GpuMetric{"gpu_row_remap_banks", "spare=high", &R::remap_banks_high, "gauge", ""},
    GpuMetric{"gpu_row_remap_banks", "spare=partial", &R::remap_banks_partial, "gauge", ""},
    GpuMetric{"gpu_row_remap_banks", "spare=low", &R::remap_banks_low, "gauge", ""},
    GpuMetric{"gpu_row_remap_banks", "spare=none", &R::remap_banks_none, "gauge", ""},
    GpuMetric{"gpu_retired_pages", "cause=single_bit", &R::retired_single, "gauge",
              "Pages of memory taken out of use (NVIDIA before Ampere; AMD has the one cause `uncorrected`).",
              "DCGM_FI_DEV_RETIRED_SBE", 1},
    GpuMetric{"gpu_retired_pages", "cause=double_bit", &R::retired_double, "gauge", "", "DCGM_FI_DEV_RETIRED_DBE", 1},
    GpuMetric{"gpu_retired_pages", "cause=uncorrected", &R::retired_uncorrected, "gauge", ""},
    GpuMetric{"gpu_retired_pages_pending", "", &R::retired_pending, "gauge",
              "1 if pages will be taken out of use at the next reboot.", "DCGM_FI_DEV_RETIRED_PENDING", 1},

    GpuMetric{"gpu_pcie_link_generation", "", &R::pcie_generation, "gauge",
              "PCIe generation that the link runs at; an idle GPU lowers it."},
    GpuMetric{"gpu_pcie_link_generation_max", "", &R::pcie_generation_max, "gauge",
              "The highest that GPU and slot can do together."},
    GpuMetric{"gpu_pcie_link_width", "", &R::pcie_width, "gauge", "Lanes in use."},
    GpuMetric{"gpu_pcie_link_width_max", "", &R::pcie_width_max, "gauge", "The most that GPU and slot have together."},
    GpuMetric{"gpu_pcie_replays_total", "", &R::pcie_replays, "counter",
              "Packets that had to be sent again; many mean a bad slot, riser or cable.",
              "DCGM_FI_DEV_PCIE_REPLAY_COUNTER", 1},
    GpuMetric{"gpu_pcie_bytes_per_second", "direction=tx", &R::pcie_tx_rate, "gauge",
              "Bytes over PCIe since the look before, seen from the GPU (Hopper and later).",
              "DCGM_FI_PROF_PCIE_TX_BYTES", 1},
    GpuMetric{"gpu_pcie_bytes_per_second", "direction=rx", &R::pcie_rx_rate, "gauge", "", "DCGM_FI_PROF_PCIE_RX_BYTES",
              1},
    GpuMetric{"gpu_nvlinks", "state=up", &R::nvlinks_up, "gauge", "NVLinks by state."},
    GpuMetric{"gpu_nvlinks", "state=down", &R::nvlinks_down, "gauge", ""},
    GpuMetric{"gpu_nvlink_bytes_total", "direction=tx", &R::nvlink_tx, "counter",
              "Bytes of payload over all NVLinks, seen from the GPU."},
    GpuMetric{"gpu_nvlink_bytes_total", "direction=rx", &R::nvlink_rx, "counter", ""},
    GpuMetric{"gpu_nvlink_bytes_per_second", "direction=tx", &R::nvlink_tx_rate, "gauge",
              "Bytes over NVLink since the look before (Hopper and later).", "DCGM_FI_PROF_NVLINK_TX_BYTES", 1},
    GpuMetric{"gpu_nvlink_bytes_per_second", "direction=rx", &R::nvlink_rx_rate, "gauge", "",
              "DCGM_FI_PROF_NVLINK_RX_BYTES", 1},
    GpuMetric{"gpu_nvlink_errors_total", "type=replay", &R::nvlink_replays, "counter", "Errors of all NVLinks by type.",
              "DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL", 1},
    GpuMetric{"gpu_nvlink_errors_total", "type=recovery", &R::nvlink_recoveries, "counter", "",
              "DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL", 1},
    GpuMetric{"gpu_nvlink_errors_total", "type=crc_flit", &R::nvlink_crc_flit, "counter", "",
              "DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL", 1},
    GpuMetric{"gpu_nvlink_errors_total", "type=crc_data", &R::nvlink_crc_data, "counter", "",
              "DCGM_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL", 1},
    GpuMetric{"gpu_recovery_action", "", &R::recovery_action, "gauge",
              "What the driver says must be done: 0 nothing, 1 reset, 2 reboot, 3 drain peers, 4 drain and reset."},
    GpuMetric{"gpu_mig_enabled", "", &R::mig_enabled, "gauge", "1 if the GPU is split into instances."},

    GpuMetric{"gpu_graphics_active_ratio", "", &R::graphics_active, "gauge",
              "Share of the time since the look before in which a graphics or compute engine was active. This and the "
              "following are GPM's: Hopper and later.",
              "DCGM_FI_PROF_GR_ENGINE_ACTIVE", 1},
    GpuMetric{"gpu_sm_active_ratio", "", &R::sm_active, "gauge", "Share of multiprocessors with a warp, over time.",
              "DCGM_FI_PROF_SM_ACTIVE", 1},
    GpuMetric{"gpu_sm_occupancy_ratio", "", &R::sm_occupancy, "gauge",
              "Resident warps as a share of the most possible.", "DCGM_FI_PROF_SM_OCCUPANCY", 1},
    GpuMetric{"gpu_dram_active_ratio", "", &R::dram_active, "gauge", "Memory bandwidth used as a share of its peak.",
              "DCGM_FI_PROF_DRAM_ACTIVE", 1},
    GpuMetric{"gpu_tensor_active_ratio", "", &R::tensor_active, "gauge", "Share of time in which tensor cores worked.",
              "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", 1},
    GpuMetric{"gpu_pipe_active_ratio", "pipe=tensor_hmma", &R::hmma_active, "gauge",
              "Share of time in which a pipe worked: tensor cores by number format, others by width."},
    GpuMetric{"gpu_pipe_active_ratio", "pipe=tensor_imma", &R::imma_active, "gauge", ""},
    GpuMetric{"gpu_pipe_active_ratio", "pipe=tensor_dfma", &R::dfma_active, "gauge", ""},
    GpuMetric{"gpu_pipe_active_ratio", "pipe=fp64", &R::fp64_active, "gauge", "", "DCGM_FI_PROF_PIPE_FP64_ACTIVE", 1},
    GpuMetric{"gpu_pipe_active_ratio", "pipe=fp32", &R::fp32_active, "gauge", "", "DCGM_FI_PROF_PIPE_FP32_ACTIVE", 1},
    GpuMetric{"gpu_pipe_active_ratio", "pipe=fp16", &R::fp16_active, "gauge", "", "DCGM_FI_PROF_PIPE_FP16_ACTIVE", 1},
    GpuMetric{"gpu_pipe_active_ratio", "pipe=integer", &R::integer_active, "gauge", ""},
};

constexpr std::array kFamilies = {
    GpuFamily{"gpu_up", "", "gauge", "1 if the GPU answers, 0 if the driver says that it is lost."},
    GpuFamily{"gpu_info", "name, vendor, pci, generation, serial, vbios, driver, cuda", "gauge", "1; what it is."},
    GpuFamily{"gpu_throttle_active", "reason", "gauge",
              "1 while clocks are held down for that reason. `idle` and `application_clocks` are no fault."},
    GpuFamily{
        "gpu_memory_headroom_ratio", "", "gauge",
        "Derived: free memory as a share of all of it. Engines that reserve memory ahead leave little by design."},
    GpuFamily{"gpu_health_score", "", "gauge", "Derived: 100 is healthy, 0 of no use; less what each finding costs."},
    GpuFamily{"gpu_health_finding", "finding", "gauge", "Derived: what is wrong, with the points that it costs."},
    GpuFamily{"gpu_frozen", "", "gauge",
              "Derived: 1 while no value has moved for a minute though the GPU works. They are not true, then."},
    GpuFamily{"gpu_zero_but_busy", "", "gauge",
              "Derived: 1 while performance counters (or the utilisation) read zero though the GPU works."},
    GpuFamily{"gpu_processes", "", "gauge", "Processes with a context on the GPU."},
    GpuFamily{"gpu_process_memory_bytes", "pid, process, type, engine_instance, replica", "gauge",
              "Memory of the GPU that a process holds."},
    GpuFamily{"gpu_process_sm_utilization_ratio", "pid, process, type, engine_instance, replica", "gauge",
              "Share of time in which its kernels ran."},
    GpuFamily{"gpu_mig_memory_total_bytes", "gpu_instance, instance_uuid, profile", "gauge",
              "Memory of a GPU instance. Shared by its compute instances: told once."},
    GpuFamily{"gpu_mig_memory_used_bytes", "gpu_instance, instance_uuid, profile", "gauge", "Of that, what is used."},
    GpuFamily{"gpu_mig_sm_active_ratio", "gpu_instance, instance_uuid, profile", "gauge",
              "As gpu_sm_active_ratio, of the instance."},
    GpuFamily{"gpu_mig_tensor_active_ratio", "gpu_instance, instance_uuid, profile", "gauge",
              "As gpu_tensor_active_ratio, of the instance."},
    GpuFamily{"gpu_mig_dram_active_ratio", "gpu_instance, instance_uuid, profile", "gauge",
              "As gpu_dram_active_ratio, of the instance."},
};

using Pairs = SampleBatch::Pairs;

Pairs parse_labels(std::string_view text) {
    Pairs pairs;
    if (text.empty()) return pairs;
    for (std::string_view part : split(text, ',')) {
        const auto equals = part.find('=');
        pairs.emplace_back(std::string(part.substr(0, equals)), std::string(part.substr(equals + 1)));
    }
    return pairs;
}

Pairs with(Pairs pairs, const Pairs& more) {
    pairs.insert(pairs.end(), more.begin(), more.end());
    return pairs;
}

void add_values(const GpuReading& gpu, const Pairs& who, const Pairs* dcgm_who, SampleBatch& out) {
    for (const GpuMetric& metric : kMetrics) {
        const Reading& value = gpu.*metric.value;
        if (!value) continue;
        out.add(metric.name, with(parse_labels(metric.labels), who), *value);
        if (dcgm_who != nullptr && *metric.dcgm != 0) out.add(metric.dcgm, *dcgm_who, *value * metric.dcgm_scale);
    }
}

void add_processes(const GpuReading& gpu, const Pairs& who, SampleBatch& out) {
    if (!gpu.processes_known) return;
    out.add("gpu_processes", who, static_cast<double>(gpu.processes.size()));
    for (const GpuProcess& process : gpu.processes) {
        Pairs labels = with(who, {{"pid", std::to_string(process.pid)},
                                  {"process", process.name},
                                  {"type", process.graphics ? "graphics" : "compute"}});
        if (!process.engine_instance.empty()) labels.emplace_back("engine_instance", process.engine_instance);
        if (!process.replica.empty()) labels.emplace_back("replica", process.replica);
        if (process.memory_bytes) out.add("gpu_process_memory_bytes", labels, *process.memory_bytes);
        if (process.sm_utilization) out.add("gpu_process_sm_utilization_ratio", labels, *process.sm_utilization);
    }
}

void add_instances(const GpuReading& gpu, const Pairs& who, SampleBatch& out) {
    for (const MigReading& mig : gpu.instances) {
        const Pairs labels = with(who, {{"gpu_instance", std::to_string(mig.gpu_instance)},
                                        {"instance_uuid", mig.uuid},
                                        {"profile", mig.profile}});
        const std::pair<const char*, const Reading*> values[] = {{"gpu_mig_memory_total_bytes", &mig.memory_total},
                                                                 {"gpu_mig_memory_used_bytes", &mig.memory_used},
                                                                 {"gpu_mig_sm_active_ratio", &mig.sm_active},
                                                                 {"gpu_mig_tensor_active_ratio", &mig.tensor_active},
                                                                 {"gpu_mig_dram_active_ratio", &mig.dram_active}};
        for (const auto& [name, value] : values) {
            if (*value) out.add(name, labels, **value);
        }
    }
}

}  // namespace

std::span<const GpuMetric> gpu_metrics() {
    return kMetrics;
}

std::span<const GpuFamily> gpu_families() {
    return kFamilies;
}

void add_samples(const GpuReading& gpu, DcgmNames dcgm, const std::string& host, SampleBatch& out) {
    const GpuIdentity& id = gpu.id;
    const Pairs who = {{"gpu", std::to_string(id.index)}, {"uuid", id.uuid}};
    out.add("gpu_up", who, gpu.lost ? 0 : 1);
    out.add("gpu_info",
            with(who, {{"name", id.name},
                       {"vendor", id.vendor},
                       {"pci", id.pci},
                       {"generation", id.generation},
                       {"serial", id.serial},
                       {"vbios", id.vbios},
                       {"driver", id.driver},
                       {"cuda", id.cuda}}),
            1);
    out.add("gpu_health_score", who, gpu.health);
    for (const GpuFinding& finding : gpu.findings) {
        out.add("gpu_health_finding", with(who, {{"finding", finding.id}}), finding.points);
    }
    if (gpu.lost) return;
    out.add("gpu_frozen", who, gpu.frozen ? 1 : 0);
    out.add("gpu_zero_but_busy", who, gpu.zero_but_busy ? 1 : 0);
    const Pairs dcgm_who = {{"gpu", std::to_string(id.index)},
                            {"UUID", id.uuid},
                            {"device", "nvidia" + std::to_string(id.index)},
                            {"modelName", id.name},
                            {"pci_bus_id", id.pci},
                            {"Hostname", host},
                            {"DCGM_FI_DRIVER_VERSION", id.driver}};
    const bool add_dcgm = dcgm == DcgmNames::Add && id.vendor == "nvidia";
    add_values(gpu, who, add_dcgm ? &dcgm_who : nullptr, out);
    if (gpu.clock_reasons) {
        for (const ClockReason& reason : kClockReasons) {
            out.add("gpu_throttle_active", with(who, {{"reason", reason.name}}),
                    (*gpu.clock_reasons & reason.bit) != 0 ? 1 : 0);
        }
    }
    if (gpu.memory_free && gpu.memory_total && *gpu.memory_total > 0) {
        out.add("gpu_memory_headroom_ratio", who, *gpu.memory_free / *gpu.memory_total);
    }
    add_processes(gpu, who, out);
    add_instances(gpu, who, out);
}

std::vector<tsdb::FamilyMetadata> gpu_metadata() {
    std::vector<tsdb::FamilyMetadata> all;
    std::string last;
    for (const GpuMetric& metric : kMetrics) {
        if (last != metric.name) all.push_back({metric.name, {metric.type, metric.help, ""}});
        last = metric.name;
        if (*metric.dcgm != 0) {
            all.push_back(
                {metric.dcgm, {metric.type, std::string("The same as ") + metric.name + ", in DCGM's unit.", ""}});
        }
    }
    for (const GpuFamily& family : kFamilies) all.push_back({family.name, {family.type, family.help, ""}});
    return all;
}

}  // namespace stoker::collect
