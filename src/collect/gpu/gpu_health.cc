#include "collect/gpu/gpu_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace stoker::collect {
namespace {

// From what NVIDIA says of each (its XID catalogue and its guide to memory errors); the weights are ours: 100 is of no
// use, 50 and more wants to be taken out of service, below that somebody should look.
constexpr std::array kKinds = {
    GpuFindingKind{"lost", 100, "The driver can't reach the GPU any more."},
    GpuFindingKind{"recovery_action", 60, "The driver says that it must be reset, drained, or the machine rebooted."},
    GpuFindingKind{"xid_critical", 60, "An XID of severity `critical` in the last hour."},
    GpuFindingKind{"row_remap_failed", 60, "A bad row of memory could not be replaced: the GPU is to be replaced."},
    GpuFindingKind{"uncorrected_errors", 40, "Memory errors that could not be corrected, since the driver was loaded."},
    GpuFindingKind{"frozen", 40, "Its values have not moved for a minute while it works: they are not true."},
    GpuFindingKind{"hardware_slowdown", 30, "The hardware holds its clocks down: heat, or the power supply."},
    GpuFindingKind{"nvlink_down", 30, "Some of its NVLinks are down while others are up."},
    GpuFindingKind{"no_spare_rows", 20, "A bank of memory has no spare rows left: the next error there fails."},
    GpuFindingKind{"zero_but_busy", 20, "Its performance counters read zero while it works; they are left out."},
    GpuFindingKind{"row_remap_pending", 15, "A row of memory waits to be replaced at the next reset."},
    GpuFindingKind{"pages_pending", 15, "Pages of memory wait to be taken out of use at the next reboot."},
    GpuFindingKind{"xid_warning", 15, "An XID of severity `warning` in the last ten minutes."},
    GpuFindingKind{"pcie_narrow", 15, "Its PCIe link runs with fewer lanes than it could."},
    GpuFindingKind{"software_thermal", 10, "The driver holds its clocks down because of heat."},
    GpuFindingKind{"hot", 10, "It is within 3 degrees of the temperature at which it slows down."},
    GpuFindingKind{"unreadable", 5, "Some of its values could not be read."},
};

constexpr std::chrono::hours kCriticalFor{1};
constexpr std::chrono::minutes kWarningFor{10};
constexpr double kNearSlowdown = 3;
constexpr std::uint64_t kHardwareSlowdown = 0x8 | 0x40 | 0x80;
constexpr std::uint64_t kSoftwareThermal = 0x20;
constexpr std::array<const char*, 5> kRecoveryActions = {"none", "reset the GPU", "reboot the machine",
                                                         "drain peer-to-peer traffic", "drain it and reset it"};

class Judge {
public:
    void find(std::string_view id, std::string what) {
        const auto kind = std::find_if(kKinds.begin(), kKinds.end(), [id](const auto& each) { return id == each.id; });
        STOKER_CHECK(kind != kKinds.end(), "a finding that is not in the list");
        found_.push_back({.id = std::string(id), .points = kind->points, .what = std::move(what)});
    }
    void find_if(bool holds, std::string_view id, std::string what) {
        if (holds) find(id, std::move(what));
    }
    std::vector<GpuFinding> take() {
        std::stable_sort(found_.begin(), found_.end(),
                         [](const auto& a, const auto& b) { return a.points > b.points; });
        return std::move(found_);
    }

private:
    std::vector<GpuFinding> found_;
};

bool is(const Reading& value) {
    return value.value_or(0) > 0;
}

void judge_memory(const GpuReading& gpu, Judge& judge) {
    judge.find_if(is(gpu.remap_failed), "row_remap_failed", "a bad row of memory could not be replaced");
    judge.find_if(
        is(gpu.ecc_uncorrected), "uncorrected_errors",
        fmt::format("{:.0f} uncorrected memory errors since the driver was loaded", gpu.ecc_uncorrected.value_or(0)));
    judge.find_if(is(gpu.remap_banks_none), "no_spare_rows",
                  fmt::format("{:.0f} banks of memory have no spare rows left", gpu.remap_banks_none.value_or(0)));
    judge.find_if(is(gpu.remap_pending), "row_remap_pending", "a row of memory waits to be replaced at the next reset");
    judge.find_if(is(gpu.retired_pending), "pages_pending",
                  "pages of memory wait to be taken out of use at the next reboot");
}

void judge_heat_and_power(const GpuReading& gpu, Judge& judge) {
    const std::uint64_t reasons = gpu.clock_reasons.value_or(0);
    std::string names;
    for (const ClockReason& reason : kClockReasons) {
        if ((reasons & reason.bit & kHardwareSlowdown) != 0)
            names += (names.empty() ? "" : ", ") + std::string(reason.name);
    }
    judge.find_if(!names.empty(), "hardware_slowdown", "clocks are held down: " + names);
    judge.find_if((reasons & kSoftwareThermal) != 0, "software_thermal",
                  "the driver holds clocks down because of heat");
    const bool hot =
        gpu.temperature && gpu.slowdown_temperature && *gpu.temperature >= *gpu.slowdown_temperature - kNearSlowdown;
    judge.find_if(hot, "hot",
                  fmt::format("{:.0f} C; it slows down at {:.0f} C", gpu.temperature.value_or(0),
                              gpu.slowdown_temperature.value_or(0)));
}

void judge_links(const GpuReading& gpu, Judge& judge) {
    // An idle link lowers its generation, never its width.
    const bool narrow = gpu.pcie_width && gpu.pcie_width_max && *gpu.pcie_width < *gpu.pcie_width_max;
    judge.find_if(narrow, "pcie_narrow",
                  fmt::format("PCIe runs with {:.0f} of {:.0f} lanes", gpu.pcie_width.value_or(0),
                              gpu.pcie_width_max.value_or(0)));
    // All down: a GPU without a bridge or switch.
    judge.find_if(is(gpu.nvlinks_down) && is(gpu.nvlinks_up), "nvlink_down",
                  fmt::format("{:.0f} NVLinks are down, {:.0f} are up", gpu.nvlinks_down.value_or(0),
                              gpu.nvlinks_up.value_or(0)));
}

void judge_xids(const GpuReading& gpu, const std::vector<XidCount>& xids, const XidTable& table, Timestamp now,
                Judge& judge) {
    std::string critical;
    std::string warning;
    for (const XidCount& xid : xids) {
        if (xid.nvswitch || xid.pci != gpu.id.pci) continue;
        const XidEntry& entry = table.find(xid.code, gpu.id.generation);
        const std::string told = fmt::format("XID {} ({}): {}", xid.code, entry.meaning, entry.action);
        if (entry.severity == "critical" && now - xid.last < kCriticalFor)
            critical += (critical.empty() ? "" : "; ") + told;
        if (entry.severity == "warning" && now - xid.last < kWarningFor)
            warning += (warning.empty() ? "" : "; ") + told;
    }
    judge.find_if(!critical.empty(), "xid_critical", critical);
    judge.find_if(!warning.empty(), "xid_warning", warning);
}

}  // namespace

std::span<const GpuFindingKind> gpu_finding_kinds() {
    return kKinds;
}

std::vector<GpuFinding> judge(const GpuReading& gpu, const GpuDoubts& doubts, const std::vector<XidCount>& xids,
                              const XidTable& table, Timestamp now) {
    Judge judge;
    judge.find_if(gpu.lost, "lost", "the driver says that the GPU is lost");
    const auto action = static_cast<std::size_t>(gpu.recovery_action.value_or(0));
    judge.find_if(action > 0, "recovery_action",
                  action < kRecoveryActions.size() ? std::string("the driver says: ") + kRecoveryActions[action]
                                                   : "the driver says that something must be done");
    judge_xids(gpu, xids, table, now, judge);
    judge_memory(gpu, judge);
    judge.find_if(doubts.frozen, "frozen", "its values have not moved for a minute while it works");
    judge_heat_and_power(gpu, judge);
    judge_links(gpu, judge);
    judge.find_if(doubts.zero_but_busy, "zero_but_busy", "performance counters read zero while it works");
    judge.find_if(!gpu.failed.empty(), "unreadable", gpu.failed.empty() ? "" : gpu.failed.front());
    return judge.take();
}

int health_score(const std::vector<GpuFinding>& findings) {
    int score = 100;
    for (const GpuFinding& finding : findings) score -= finding.points;
    return std::max(score, 0);
}

}  // namespace stoker::collect
