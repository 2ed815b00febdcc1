#include "collect/gpu/nvml_device.h"

#include <algorithm>

namespace stoker::collect::nvml {
namespace {

constexpr double kMilli = 1e-3;
constexpr double kMega = 1e6;
constexpr double kPercent = 1e-2;
constexpr double kNano = 1e-9;
constexpr double kKiB = 1024;

// nvmlPerfPolicyType_t.
constexpr int kLimitedPower = 0, kLimitedThermal = 1, kLimitedSync = 2, kLimitedBoard = 3, kLimitedLow = 4,
              kLimitedReliability = 5;
// nvmlTemperatureThresholds_t.
constexpr int kShutdown = 0, kSlowdown = 1, kGpuMax = 3;
// nvmlClockType_t.
constexpr int kGraphics = 0, kSm = 1, kMemory = 2, kVideo = 3;

double as_double(const FieldValue& field) {
    switch (field.type) {  // nvmlValueType_t.
        case 0:
            return field.value.as_double;
        case 1:
            return field.value.as_unsigned;
        case 2:
            return static_cast<double>(field.value.as_unsigned_long);
        case 3:
            return static_cast<double>(field.value.as_unsigned_long_long);
        case 4:
            return static_cast<double>(field.value.as_long_long);
        case 5:
            return field.value.as_int;
        default:
            return field.value.as_unsigned_short;
    }
}

bool never_works(Return code) {
    return code == kNotSupported || code == kFunctionNotFound || code == kNoPermission ||
           code == kArgumentVersionMismatch || code == kInvalidArgument || code == kDeprecated;
}

}  // namespace

NvmlDevice::NvmlDevice(const Library& library, Device handle, GpuIdentity id)
    : library_(library),
      api_(library.api()),
      handle_(handle),
      id_(std::move(id)),
      gpm_(GpmWindow::create(library, handle, {})) {}

template <typename Function, typename... Arguments>
bool NvmlDevice::ask(GpuReading& out, std::string_view what, Function* function, Arguments... arguments) {
    if (function == nullptr || out.lost || unsupported_.contains(what)) return false;
    const Return code = function(handle_, arguments...);
    if (code == kSuccess) return true;
    if (code == kGpuIsLost) {
        out.lost = true;
    } else if (never_works(code)) {
        unsupported_.emplace(what);
    } else {
        out.failed.push_back(std::string(what) + ": " + library_.describe(code));
    }
    return false;
}

template <typename Number, typename Function, typename... Arguments>
Reading NvmlDevice::number(GpuReading& out, std::string_view what, Function* function, double scale,
                           Arguments... arguments) {
    Number value{};
    if (!ask(out, what, function, arguments..., &value)) return std::nullopt;
    return static_cast<double>(value) * scale;
}

GpuReading NvmlDevice::read() {
    const auto now = std::chrono::steady_clock::now();
    const bool costly = now >= costly_at_;
    held_.id = id_;
    held_.lost = false;
    held_.failed.clear();
    if (now >= constant_at_) {
        read_constant(held_);
        constant_at_ = now + kConstant;
    }
    if (costly) {
        read_costly(held_);
        costly_at_ = now + kCostly;
    }
    GpuReading out = held_;
    read_load(out);
    read_memory(out);
    out.temperature = number<unsigned>(out, "temperature", api_.temperature, 1, 0);
    out.power = number<unsigned>(out, "power", api_.power, kMilli);
    out.power_limit = number<unsigned>(out, "power_limit", api_.power_limit, kMilli);
    read_clocks(out);
    read_errors(out);
    read_rows(out);
    out.pcie_generation = number<unsigned>(out, "pcie_generation", api_.pcie_generation, 1);
    out.pcie_width = number<unsigned>(out, "pcie_width", api_.pcie_width, 1);
    read_nvlink(out);
    read_fields(out);
    if (gpm_ && !out.lost) gpm_->read(out);
    read_instances(out);
    read_process_list(out, false);
    read_process_list(out, true);
    read_process_load(out, costly);
    if (!out.lost) return out;
    // Half a look at a GPU that is gone would mix times; back again, everything is read anew.
    held_ = {};
    costly_at_ = {};
    constant_at_ = {};
    GpuReading lost;
    lost.id = id_;
    lost.lost = true;
    return lost;
}

void NvmlDevice::read_constant(GpuReading& out) {
    const auto limit = [&](std::string_view what, int which) {
        return number<unsigned>(out, what, api_.temperature_threshold, 1, which);
    };
    out.shutdown_temperature = limit("shutdown_temperature", kShutdown);
    out.slowdown_temperature = limit("slowdown_temperature", kSlowdown);
    out.max_temperature = limit("max_temperature", kGpuMax);
    out.power_default = number<unsigned>(out, "power_default", api_.power_default, kMilli);
    unsigned least = 0;
    unsigned most = 0;
    if (ask(out, "power_range", api_.power_range, &least, &most)) {
        out.power_min = least * kMilli;
        out.power_max = most * kMilli;
    }
    out.sm_clock_max = number<unsigned>(out, "sm_clock_max", api_.clock_max, kMega, kSm);
    out.memory_clock_max = number<unsigned>(out, "memory_clock_max", api_.clock_max, kMega, kMemory);
    out.graphics_clock_max = number<unsigned>(out, "graphics_clock_max", api_.clock_max, kMega, kGraphics);
    out.video_clock_max = number<unsigned>(out, "video_clock_max", api_.clock_max, kMega, kVideo);
    int current = 0;
    int pending = 0;
    if (ask(out, "ecc_mode", api_.ecc_mode, &current, &pending)) out.ecc_enabled = current;
    out.pcie_generation_max = number<unsigned>(out, "pcie_generation_max", api_.pcie_generation_max, 1);
    out.pcie_width_max = number<unsigned>(out, "pcie_width_max", api_.pcie_width_max, 1);
}

void NvmlDevice::read_costly(GpuReading& out) {
    out.energy = number<unsigned long long>(out, "energy", api_.energy, kMilli);
    const auto limited = [&](std::string_view what, int policy) -> Reading {
        ViolationTime time{};
        if (!ask(out, what, api_.violation, policy, &time)) return std::nullopt;
        return static_cast<double>(time.violation_ns) * kNano;
    };
    out.limited_power = limited("limited_power", kLimitedPower);
    out.limited_thermal = limited("limited_thermal", kLimitedThermal);
    out.limited_sync = limited("limited_sync", kLimitedSync);
    out.limited_board = limited("limited_board", kLimitedBoard);
    out.limited_low_utilization = limited("limited_low_utilization", kLimitedLow);
    out.limited_reliability = limited("limited_reliability", kLimitedReliability);
    out.fan = number<unsigned>(out, "fan", api_.fan, kPercent);
    // nvmlDeviceGetPcieThroughput is left out: it blocks for 20 ms a direction. GPM has the rates without that.
    out.pcie_replays = number<unsigned>(out, "pcie_replays", api_.pcie_replays, 1);
    Bar1Memory bar1{};
    if (ask(out, "bar1", api_.bar1, &bar1)) {
        out.bar1_total = static_cast<double>(bar1.total);
        out.bar1_used = static_cast<double>(bar1.used);
    }
    unsigned current = 0;
    unsigned pending = 0;
    if (ask(out, "mig_mode", api_.mig_mode, &current, &pending)) out.mig_enabled = current;
}

void NvmlDevice::read_load(GpuReading& out) {
    Utilization load{};
    if (ask(out, "utilization", api_.utilization, &load)) {
        out.utilization = load.gpu * kPercent;
        out.memory_io = load.memory * kPercent;
    }
    const auto engine = [&](std::string_view what, Return (*function)(Device, unsigned*, unsigned*)) -> Reading {
        unsigned percent = 0;
        unsigned period_us = 0;
        if (!ask(out, what, function, &percent, &period_us)) return std::nullopt;
        return percent * kPercent;
    };
    out.encoder = engine("encoder", api_.encoder);
    out.decoder = engine("decoder", api_.decoder);
    out.jpeg = engine("jpeg", api_.jpeg);
    out.ofa = engine("ofa", api_.ofa);
}

void NvmlDevice::read_memory(GpuReading& out) {
    MemoryV2 memory{};
    memory.version = kMemoryVersion2;
    if (ask(out, "memory", api_.memory, &memory)) {
        out.memory_total = static_cast<double>(memory.total);
        out.memory_used = static_cast<double>(memory.used);
        out.memory_free = static_cast<double>(memory.free);
        out.memory_reserved = static_cast<double>(memory.reserved);
    }
}

void NvmlDevice::read_clocks(GpuReading& out) {
    out.sm_clock = number<unsigned>(out, "sm_clock", api_.clock, kMega, kSm);
    out.memory_clock = number<unsigned>(out, "memory_clock", api_.clock, kMega, kMemory);
    out.graphics_clock = number<unsigned>(out, "graphics_clock", api_.clock, kMega, kGraphics);
    out.video_clock = number<unsigned>(out, "video_clock", api_.clock, kMega, kVideo);
    out.performance_state = number<int>(out, "performance_state", api_.performance_state, 1);
    unsigned long long reasons = 0;
    if (ask(out, "clock_reasons", api_.clock_reasons, &reasons)) out.clock_reasons = reasons;
}

void NvmlDevice::read_errors(GpuReading& out) {
    const auto errors = [&](std::string_view what, int uncorrected, int lifetime) {
        return number<unsigned long long>(out, what, api_.ecc_total, 1, uncorrected, lifetime);
    };
    out.ecc_corrected = errors("ecc_corrected", 0, 0);
    out.ecc_uncorrected = errors("ecc_uncorrected", 1, 0);
    out.ecc_corrected_lifetime = errors("ecc_corrected_lifetime", 0, 1);
    out.ecc_uncorrected_lifetime = errors("ecc_uncorrected_lifetime", 1, 1);
}

void NvmlDevice::read_rows(GpuReading& out) {
    unsigned corrected = 0;
    unsigned uncorrected = 0;
    unsigned pending = 0;
    unsigned failed = 0;
    if (ask(out, "remapped_rows", api_.remapped_rows, &corrected, &uncorrected, &pending, &failed)) {
        out.remapped_corrected = corrected;
        out.remapped_uncorrected = uncorrected;
        out.remap_pending = pending;
        out.remap_failed = failed;
    }
    RowRemapperHistogram banks{};
    if (ask(out, "remapper_histogram", api_.remapper_histogram, &banks)) {
        out.remap_banks_max = banks.max;
        out.remap_banks_high = banks.high;
        out.remap_banks_partial = banks.partial;
        out.remap_banks_low = banks.low;
        out.remap_banks_none = banks.none;
    }
    const auto retired = [&](std::string_view what, int cause) -> Reading {
        // Asked for none of the addresses, the driver says how many there are.
        unsigned count = 0;
        if (api_.retired_pages == nullptr || out.lost || unsupported_.contains(what)) return std::nullopt;
        const Return code = api_.retired_pages(handle_, cause, &count, nullptr);
        if (code == kSuccess || code == kInsufficientSize) return count;
        if (never_works(code)) unsupported_.emplace(what);
        return std::nullopt;
    };
    out.retired_single = retired("retired_single", 0);
    out.retired_double = retired("retired_double", 1);
    out.retired_pending = number<int>(out, "retired_pending", api_.retired_pending, 1);
}

void NvmlDevice::read_nvlink(GpuReading& out) {
    if (unsupported_.contains("nvlink")) return;
    unsigned up = 0;
    unsigned down = 0;
    std::array<Reading*, 4> errors = {&out.nvlink_replays, &out.nvlink_recoveries, &out.nvlink_crc_flit,
                                      &out.nvlink_crc_data};
    for (unsigned link = 0; link < kMostLinks && !out.lost; ++link) {
        int active = 0;
        if (api_.nvlink_state == nullptr || api_.nvlink_state(handle_, link, &active) != kSuccess) break;
        if (active == 0) {
            ++down;
            continue;
        }
        ++up;
        for (int kind = 0; kind < 4 && api_.nvlink_errors != nullptr; ++kind) {
            unsigned long long count = 0;
            if (api_.nvlink_errors(handle_, link, kind, &count) != kSuccess) continue;
            Reading& sum = *errors[static_cast<std::size_t>(kind)];
            sum = sum.value_or(0) + static_cast<double>(count);
        }
    }
    if (up + down == 0) {
        unsupported_.emplace("nvlink");
        return;
    }
    out.nvlinks_up = up;
    out.nvlinks_down = down;
}

void NvmlDevice::read_fields(GpuReading& out) {
    struct Wanted {
        unsigned field;
        unsigned scope;
        double scale;
        const char* name;
        Reading* into;
    };
    const std::array<Wanted, 5> all = {{{kFieldMemoryTemperature, 0, 1, "memory_temperature", &out.memory_temperature},
                                        {kFieldPowerInstant, 0, kMilli, "power_instant", &out.power_instant},
                                        {kFieldRecoveryAction, 0, 1, "recovery_action", &out.recovery_action},
                                        {kFieldNvlinkDataTx, kAllLinks, kKiB, "nvlink_tx", &out.nvlink_tx},
                                        {kFieldNvlinkDataRx, kAllLinks, kKiB, "nvlink_rx", &out.nvlink_rx}}};
    std::vector<FieldValue> asked;
    std::vector<const Wanted*> wanted;
    for (const Wanted& each : all) {
        if (unsupported_.contains(each.name)) continue;
        asked.push_back({.field = each.field,
                         .scope = each.scope,
                         .timestamp_us = 0,
                         .latency_us = 0,
                         .type = 0,
                         .result = kNotSupported,
                         .value = {}});
        wanted.push_back(&each);
    }
    if (asked.empty() || !ask(out, "fields", api_.fields, static_cast<int>(asked.size()), asked.data())) return;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (asked[i].result == kSuccess) {
            *wanted[i]->into = as_double(asked[i]) * wanted[i]->scale;
        } else if (never_works(asked[i].result)) {
            unsupported_.emplace(wanted[i]->name);
        } else if (asked[i].result == kGpuIsLost) {
            out.lost = true;
        }
    }
}

void NvmlDevice::read_process_list(GpuReading& out, bool graphics) {
    constexpr unsigned kMost = 4096;  // A GPU has no room for more contexts.
    const std::string_view what = graphics ? "graphics_processes" : "compute_processes";
    auto* function = graphics ? api_.graphics_processes : api_.compute_processes;
    if (function == nullptr || out.lost || unsupported_.contains(what)) return;
    std::vector<ProcessInfo> list(64);
    auto count = static_cast<unsigned>(list.size());
    Return code = function(handle_, &count, list.data());
    if (code == kInsufficientSize) {
        // It says how many there are; some more may begin until it is asked again.
        list.resize(std::min(count + 64, kMost));
        count = static_cast<unsigned>(list.size());
        code = function(handle_, &count, list.data());
    }
    if (code != kSuccess) {
        if (never_works(code)) unsupported_.emplace(what);
        if (code == kGpuIsLost) out.lost = true;
        return;
    }
    out.processes_known = true;
    list.resize(std::min<std::size_t>(count, list.size()));
    for (const ProcessInfo& info : list) {
        GpuProcess process;
        process.pid = info.pid;
        process.graphics = graphics;
        if (info.used_memory != kUnknownMemory) process.memory_bytes = static_cast<double>(info.used_memory);
        if (info.gpu_instance != kNoInstance && out.mig_enabled.value_or(0) > 0)
            process.gpu_instance = info.gpu_instance;
        const bool listed = std::any_of(out.processes.begin(), out.processes.end(),
                                        [&](const GpuProcess& other) { return other.pid == process.pid; });
        if (!listed) out.processes.push_back(std::move(process));
    }
}

void NvmlDevice::read_process_load(GpuReading& out, bool measure) {
    constexpr std::string_view kWhat = "process_utilization";
    if (api_.process_utilization == nullptr || out.lost || out.processes.empty() || unsupported_.contains(kWhat))
        return;
    if (measure) {
        std::vector<ProcessUtilization> samples(256);
        auto count = static_cast<unsigned>(samples.size());
        const Return code = api_.process_utilization(handle_, samples.data(), &count, processes_seen_us_);
        if (never_works(code)) unsupported_.emplace(kWhat);
        if (code != kSuccess && code != kNotFound) return;  // NotFound: nothing ran since the look before.
        process_load_.clear();
        samples.resize(code == kSuccess ? std::min<std::size_t>(count, samples.size()) : 0);
        const auto seen_before = processes_seen_us_;
        for (const auto& sample : samples) {
            if (sample.timestamp_us <= seen_before) continue;
            process_load_[sample.pid] = sample.sm * kPercent;
            processes_seen_us_ = std::max(processes_seen_us_, sample.timestamp_us);
        }
    }
    for (auto& process : out.processes) {
        const auto found = process_load_.find(static_cast<unsigned>(process.pid));
        process.sm_utilization = found == process_load_.end() ? 0 : found->second;
    }
}

void NvmlDevice::read_instances(GpuReading& out) {
    unsigned most = 0;
    if (out.mig_enabled.value_or(0) == 0 || !ask(out, "mig_count", api_.mig_count, &most)) return;
    std::map<unsigned, MigReading> by_instance;
    for (unsigned i = 0; i < most; ++i) {
        Device mig = nullptr;
        if (api_.mig_handle == nullptr || api_.mig_handle(handle_, i, &mig) != kSuccess) continue;
        unsigned instance = 0;
        if (api_.gpu_instance == nullptr || api_.gpu_instance(mig, &instance) != kSuccess) continue;
        if (by_instance.contains(instance)) continue;  // A further compute instance shares its memory.
        MigReading reading;
        reading.gpu_instance = instance;
        char uuid[96] = {};
        if (api_.uuid(mig, uuid, sizeof uuid - 1) == kSuccess) reading.uuid = uuid;
        DeviceAttributes attributes{};
        if (api_.attributes != nullptr && api_.attributes(mig, &attributes) == kSuccess) {
            // The driver's own rounding: 9728 MiB are "10gb".
            reading.profile = std::to_string(attributes.gpu_slices) + "g." +
                              std::to_string((attributes.memory_mib + 1023) / 1024) + "gb";
        }
        MemoryV2 memory{};
        memory.version = kMemoryVersion2;
        if (api_.memory != nullptr && api_.memory(mig, &memory) == kSuccess) {
            reading.memory_total = static_cast<double>(memory.total);
            reading.memory_used = static_cast<double>(memory.used);
        }
        auto& window = instance_gpm_[instance];
        if (!window) window = GpmWindow::create(library_, handle_, instance);
        if (window) {
            GpuReading measured;
            window->read(measured);
            reading.sm_active = measured.sm_active;
            reading.tensor_active = measured.tensor_active;
            reading.dram_active = measured.dram_active;
        }
        by_instance.emplace(instance, std::move(reading));
    }
    std::erase_if(instance_gpm_, [&](const auto& entry) { return !by_instance.contains(entry.first); });
    for (auto& [instance, reading] : by_instance) out.instances.push_back(std::move(reading));
}

}  // namespace stoker::collect::nvml
