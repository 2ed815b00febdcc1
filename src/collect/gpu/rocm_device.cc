#include "collect/gpu/rocm_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "collect/gpu/rocm_clocks.h"

namespace stoker::collect::rocm {
namespace {

constexpr double kMilli = 1e-3;
constexpr double kMicro = 1e-6;
constexpr double kPercent = 1e-2;
// Beyond these nothing is a measurement; an MI355X draws 1.4 kW.
constexpr double kColdest = -50, kHottest = 200, kMostWatts = 10'000;
constexpr double kMost = 1e18;

// Of a call that never worked: what it answers where GPU, driver or privilege lack it for good.
bool never_works(Status status) {
    return status == kNotSupported || status == kNotYetImplemented || status == kPermission || status == kInvalidArgs ||
           status == kOutOfBounds;
}

// PCIe's generation by its transfers a second.
Reading generation(std::uint64_t transfers) {
    constexpr std::array<double, 6> kRates = {2.5e9, 5e9, 8e9, 16e9, 32e9, 64e9};
    for (std::size_t i = 0; i < kRates.size(); ++i) {
        if (static_cast<double>(transfers) == kRates[i]) return static_cast<double>(i + 1);
    }
    return std::nullopt;
}

}  // namespace

RocmDevice::RocmDevice(const Library& library, std::uint32_t index, GpuIdentity id)
    : library_(library), api_(library.api()), index_(index), id_(std::move(id)) {}

template <typename Function, typename... Arguments>
bool RocmDevice::ask(GpuReading& out, std::string_view what, Function* function, Arguments... arguments) {
    if (function == nullptr || unsupported_.contains(what)) return false;
    const Status status = function(index_, arguments...);
    if (status == kSuccess) {
        ++answers_;
        worked_.emplace(what);
        return true;
    }
    if (worked_.contains(what)) {
        out.failed.push_back(std::string(what) + ": " + library_.describe(status));
    } else if (never_works(status)) {
        unsupported_.emplace(what);
    }
    return false;
}

template <typename Number, typename Function, typename... Arguments>
Reading RocmDevice::number(GpuReading& out, std::string_view what, Function* function, double scale, double least,
                           double most, Arguments... arguments) {
    Number got{};
    if (!ask(out, what, function, arguments..., &got)) return std::nullopt;
    const double value = static_cast<double>(got) * scale;
    if (value >= least && value <= most) return value;
    out.failed.push_back(fmt::format("{}: {} can't be", what, value));
    return std::nullopt;
}

GpuReading RocmDevice::read() {
    const auto now = std::chrono::steady_clock::now();
    answers_ = 0;
    held_.id = id_;
    held_.failed.clear();
    if (now >= constant_at_) {
        read_constant(held_);
        constant_at_ = now + kConstant;
    }
    if (now >= costly_at_) {
        read_costly(held_);
        costly_at_ = now + kCostly;
    }
    GpuReading out = held_;
    out.utilization = number<std::uint32_t>(out, "utilization", api_.busy, kPercent, 0, 1);
    out.memory_io = number<std::uint32_t>(out, "memory_io", api_.memory_busy, kPercent, 0, 1);
    out.memory_used = number<std::uint64_t>(out, "memory_used", api_.memory_used, 1, 0, kMost, kVram);
    if (out.memory_used && out.memory_total && *out.memory_used <= *out.memory_total) {
        out.memory_free = *out.memory_total - *out.memory_used;
    }
    out.temperature = temperature(out, "temperature", sensor_, kNow);
    out.memory_temperature = temperature(out, "memory_temperature", kMemory, kNow);
    read_power(out);
    read_clock(out, "sm_clock", kClockSystem, out.sm_clock, out.sm_clock_max);
    read_clock(out, "memory_clock", kClockMemory, out.memory_clock, out.memory_clock_max);
    if (answers_ > 0 || worked_.empty()) return out;
    // Back again, everything is read anew.
    held_ = {};
    costly_at_ = {};
    constant_at_ = {};
    GpuReading lost;
    lost.id = id_;
    lost.lost = true;
    return lost;
}

Reading RocmDevice::temperature(GpuReading& out, std::string_view what, std::uint32_t sensor, std::uint32_t metric) {
    return number<std::int64_t>(out, what, api_.temperature, kMilli, kColdest, kHottest, sensor, metric);
}

// The average over a short time; GPUs since the MI300 have the power of the moment alone.
void RocmDevice::read_power(GpuReading& out) {
    out.power = number<std::uint64_t>(out, "power", api_.power_average, kMicro, 0, kMostWatts, std::uint32_t{0});
    if (out.power) return;
    std::uint64_t power = 0;
    std::uint32_t type = 0;
    if (!ask(out, "power_now", api_.power, &power, &type)) return;
    const double watts = static_cast<double>(power) * kMicro;
    if (watts > kMostWatts || type > kCurrentPower) return;
    out.power = watts;
    if (type == kCurrentPower) out.power_instant = watts;
}

void RocmDevice::read_clock(GpuReading& out, std::string_view what, std::uint32_t type, Reading& now, Reading& most) {
    ClockList list{};
    if (!ask(out, what, api_.clock, type, &list)) return;
    const Clocks clocks = read_clocks(list);
    if (clocks.current) now = static_cast<double>(clocks.hertz[*clocks.current]);
    if (!clocks.hertz.empty()) most = static_cast<double>(*std::max_element(clocks.hertz.begin(), clocks.hertz.end()));
}

void RocmDevice::read_constant(GpuReading& out) {
    out.memory_total = number<std::uint64_t>(out, "memory_total", api_.memory_total, 1, 0, kMost, kVram);
    // The hottest spot is what the GPU is slowed down by; where it is not told, the edge's temperature and its limits.
    if (!temperature(out, "junction", kJunction, kNow)) sensor_ = kEdge;
    out.slowdown_temperature = temperature(out, "slowdown_temperature", sensor_, kCritical);
    out.shutdown_temperature = temperature(out, "shutdown_temperature", sensor_, kEmergency);
    out.power_limit =
        number<std::uint64_t>(out, "power_limit", api_.power_cap, kMicro, 0, kMostWatts, std::uint32_t{0});
    out.power_default = number<std::uint64_t>(out, "power_default", api_.power_cap_default, kMicro, 0, kMostWatts);
    std::uint64_t most = 0;
    std::uint64_t least = 0;
    if (ask(out, "power_range", api_.power_cap_range, std::uint32_t{0}, &most, &least)) {
        out.power_max = static_cast<double>(most) * kMicro;
        out.power_min = static_cast<double>(least) * kMicro;
    }
    read_pages(out);
}

void RocmDevice::read_costly(GpuReading& out) {
    std::uint64_t count = 0;
    std::uint64_t at_ns = 0;
    float resolution_uj = 0;
    if (ask(out, "energy", api_.energy, &count, &resolution_uj, &at_ns) && resolution_uj > 0) {
        out.energy = static_cast<double>(count) * static_cast<double>(resolution_uj) * kMicro;
    }
    std::uint64_t fan_most = 0;
    std::int64_t fan = 0;
    if (ask(out, "fan_max", api_.fan_max, std::uint32_t{0}, &fan_most) && fan_most > 0 &&
        ask(out, "fan", api_.fan, std::uint32_t{0}, &fan)) {
        out.fan = static_cast<double>(fan) / static_cast<double>(fan_most);
    }
    // rsmi_dev_pci_throughput_get is left out: the kernel measures for a second before it answers.
    out.pcie_replays = number<std::uint64_t>(out, "pcie_replays", api_.pcie_replays, 1, 0, kMost);
    read_pcie(out);
    read_errors(out);
}

void RocmDevice::read_pcie(GpuReading& out) {
    ClockList list{};
    if (!ask(out, "pcie", api_.pcie_bandwidth, &list)) return;
    const Clocks speeds = read_clocks(list);
    if (speeds.current) {
        out.pcie_generation = generation(speeds.hertz[*speeds.current]);
        out.pcie_width = speeds.lanes[*speeds.current];
    }
    if (speeds.hertz.empty()) return;
    out.pcie_generation_max = generation(*std::max_element(speeds.hertz.begin(), speeds.hertz.end()));
    out.pcie_width_max = *std::max_element(speeds.lanes.begin(), speeds.lanes.end());
}

// Errors of all parts of the chip that count them, since the driver was loaded.
void RocmDevice::read_errors(GpuReading& out) {
    std::uint64_t blocks = 0;
    if (!ask(out, "ecc_enabled", api_.ecc_enabled, &blocks)) return;
    out.ecc_enabled = (blocks & kMemoryBlock) != 0 ? 1 : 0;
    Reading corrected;
    Reading uncorrected;
    for (unsigned i = 0; i < kMostBlocks; ++i) {
        const std::uint64_t block = std::uint64_t{1} << i;
        ErrorCount errors{};
        if ((blocks & block) == 0 || !ask(out, "ecc_block_" + std::to_string(i), api_.ecc_count, block, &errors))
            continue;
        corrected = corrected.value_or(0) + static_cast<double>(errors.corrected);
        uncorrected = uncorrected.value_or(0) + static_cast<double>(errors.uncorrected);
    }
    out.ecc_corrected = corrected;
    out.ecc_uncorrected = uncorrected;
}

void RocmDevice::read_pages(GpuReading& out) {
    constexpr std::uint32_t kMostPages = 65'536;  // The driver gives up on a GPU long before.
    std::uint32_t count = 0;
    RetiredPage* none = nullptr;
    if (!ask(out, "retired_pages", api_.retired_pages, &count, none)) return;
    std::vector<RetiredPage> pages(std::min(count, kMostPages));
    count = static_cast<std::uint32_t>(pages.size());
    if (!pages.empty() && !ask(out, "retired_pages", api_.retired_pages, &count, pages.data())) return;
    pages.resize(std::min<std::size_t>(count, pages.size()));
    const auto of = [&](std::uint32_t status) {
        return static_cast<double>(
            std::count_if(pages.begin(), pages.end(), [status](const auto& page) { return page.status == status; }));
    };
    out.retired_uncorrected = of(kPageReserved) + of(kPageUnreservable);
    out.retired_pending = of(kPagePending) > 0 ? 1 : 0;
}

}  // namespace stoker::collect::rocm
