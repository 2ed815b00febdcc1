// What one look at one GPU brought. A value that the GPU or its driver does not have is absent, never zero.
//
// Base units: bytes, joules, watts, hertz, degrees Celsius, seconds, ratios from 0 to 1. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stoker::collect {

// What does not change while the driver is loaded.
struct GpuIdentity {
    unsigned index = 0;
    std::string uuid;
    std::string name;
    std::string vendor = "nvidia";
    std::string pci;         // "0000:3b:00.0", as the kernel writes it.
    std::string generation;  // "hopper"; empty if not known.
    std::string serial;
    std::string vbios;
    std::string driver;
    std::string cuda;  // The newest CUDA that the driver runs: "13.0".
    friend bool operator==(const GpuIdentity&, const GpuIdentity&) = default;
};

struct GpuProcess {
    std::int64_t pid = 0;
    std::string name;   // Of its executable; empty if it can't be looked at from here.
    std::string start;  // Distinguishes a pid that was used again.
    bool graphics = false;
    std::optional<double> memory_bytes;
    std::optional<double> sm_utilization;
    std::optional<unsigned> gpu_instance;
    // The engine that it works for; empty if none is known.
    std::string engine_instance;  // HOST:PORT, as in the engine's label `instance`.
    std::string replica;
};

// One GPU instance of a GPU that is split (MIG). Memory belongs to it, not to its compute instances.
struct MigReading {
    unsigned gpu_instance = 0;
    std::string uuid;
    std::string profile;  // "1g.10gb"
    std::optional<double> memory_total;
    std::optional<double> memory_used;
    std::optional<double> sm_active;
    std::optional<double> tensor_active;
    std::optional<double> dram_active;
};

using Reading = std::optional<double>;

// How a health judgement was reached: one entry lowers the score by `points`.
struct GpuFinding {
    std::string id;  // "row_remap_failed"; one of gpu_finding_kinds().
    int points = 0;
    std::string what;  // A sentence for the operator.
};

struct GpuReading {
    GpuIdentity id;
    bool lost = false;  // The driver says that the GPU is gone: nothing below is known.
    std::vector<std::string>
        failed;  // What the driver could give before, or should, and did not: "power: timeout (10)".

    Reading utilization, memory_io, encoder, decoder, jpeg, ofa;
    Reading memory_total, memory_used, memory_free, memory_reserved, bar1_total, bar1_used;
    Reading temperature, memory_temperature, shutdown_temperature, slowdown_temperature, max_temperature, fan;
    Reading power, power_instant, power_limit, power_default, power_min, power_max, energy;
    Reading sm_clock, memory_clock, graphics_clock, video_clock, sm_clock_max, memory_clock_max, graphics_clock_max,
        video_clock_max, performance_state;
    std::optional<std::uint64_t> clock_reasons;  // NVML's bits.
    Reading limited_power, limited_thermal, limited_sync, limited_board, limited_low_utilization, limited_reliability;
    Reading ecc_enabled, ecc_corrected, ecc_uncorrected, ecc_corrected_lifetime, ecc_uncorrected_lifetime;
    Reading remapped_corrected, remapped_uncorrected, remap_pending, remap_failed;
    Reading remap_banks_max, remap_banks_high, remap_banks_partial, remap_banks_low, remap_banks_none;
    Reading retired_single, retired_double, retired_uncorrected, retired_pending;
    Reading pcie_generation, pcie_generation_max, pcie_width, pcie_width_max, pcie_replays;
    Reading nvlinks_up, nvlinks_down, nvlink_tx, nvlink_rx;
    Reading nvlink_replays, nvlink_recoveries, nvlink_crc_flit, nvlink_crc_data;
    Reading recovery_action;
    Reading mig_enabled;

    // Measured over the time since the look before (GPM; Hopper and later).
    Reading graphics_active, sm_active, sm_occupancy, tensor_active, hmma_active, imma_active, dfma_active, dram_active;
    Reading fp64_active, fp32_active, fp16_active, integer_active;
    Reading pcie_tx_rate, pcie_rx_rate, nvlink_tx_rate, nvlink_rx_rate;

    std::vector<GpuProcess> processes;
    bool processes_known = false;
    std::vector<MigReading> instances;

    // What we think of all that.
    bool frozen = false;
    bool zero_but_busy = false;
    int health = 100;
    std::vector<GpuFinding> findings;
};

// The names of clock_reasons' bits, as labels. Source: nvml.h, nvmlClocksEventReason*.
struct ClockReason {
    std::uint64_t bit;
    const char* name;
};
inline constexpr std::array<ClockReason, 9> kClockReasons = {{{0x1, "idle"},
                                                              {0x2, "application_clocks"},
                                                              {0x4, "software_power_cap"},
                                                              {0x8, "hardware_slowdown"},
                                                              {0x10, "sync_boost"},
                                                              {0x20, "software_thermal"},
                                                              {0x40, "hardware_thermal"},
                                                              {0x80, "hardware_power_brake"},
                                                              {0x100, "display_clock"}}};

}  // namespace stoker::collect
