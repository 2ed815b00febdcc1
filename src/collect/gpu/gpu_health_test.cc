#include "collect/gpu/gpu_health.h"

#include <gmock/gmock.h>

#include <functional>

namespace stoker::collect {
namespace {

using namespace std::chrono_literals;

GpuReading healthy() {
    GpuReading gpu;
    gpu.id.pci = "0000:3b:00.0";
    gpu.id.generation = "hopper";
    gpu.utilization = 0.9;
    gpu.power = 400;
    gpu.power_limit = 700;
    gpu.temperature = 60;
    gpu.slowdown_temperature = 89;
    gpu.pcie_width = 16;
    gpu.pcie_width_max = 16;
    gpu.nvlinks_up = 18;
    gpu.nvlinks_down = 0;
    gpu.graphics_active = 0.9;
    gpu.sm_active = 0.8;
    return gpu;
}

XidTable table() {
    auto parsed = XidTable::parse(
        "xids: [{codes: 79, meaning: gone, action: reboot, severity: critical}, {codes: 13, meaning: app, action: "
        "restart_app, severity: warning}]",
        "t");
    EXPECT_TRUE(parsed) << parsed.error().message;
    return *std::move(parsed);
}

std::string ids(const std::vector<GpuFinding>& findings) {
    std::string all;
    for (const auto& finding : findings) all += (all.empty() ? "" : " ") + finding.id;
    return all;
}

TEST(GpuHealth, EachFindingHasItsSign) {
    const struct {
        std::function<void(GpuReading&)> change;
        const char* found;
    } rows[] = {
        {[](GpuReading&) {}, ""},
        {[](GpuReading& g) { g = {}; }, ""},  // Nothing known is nothing found.
        {[](GpuReading& g) { g.lost = true; }, "lost"},
        {[](GpuReading& g) { g.recovery_action = 1; }, "recovery_action"},
        {[](GpuReading& g) { g.recovery_action = 99; }, "recovery_action"},
        {[](GpuReading& g) { g.remap_failed = 1; }, "row_remap_failed"},
        {[](GpuReading& g) { g.ecc_uncorrected = 2; }, "uncorrected_errors"},
        {[](GpuReading& g) { g.ecc_corrected = 2000; }, ""},
        {[](GpuReading& g) {
             g.remap_banks_none = 1;
             g.remap_pending = 1;
         },
         "no_spare_rows row_remap_pending"},
        {[](GpuReading& g) { g.clock_reasons = 0x80; }, "hardware_slowdown"},
        {[](GpuReading& g) { g.clock_reasons = 0x1 | 0x4; }, ""},  // Idle; at its power limit: as it should be.
        {[](GpuReading& g) {
             g.clock_reasons = 0x20;
             g.temperature = 87;
         },
         "software_thermal hot"},
        {[](GpuReading& g) { g.pcie_width = 8; }, "pcie_narrow"},
        {[](GpuReading& g) {
             g.nvlinks_up = 17;
             g.nvlinks_down = 1;
         },
         "nvlink_down"},
        {[](GpuReading& g) {
             g.nvlinks_up = 0;
             g.nvlinks_down = 18;
         },
         ""},
        {[](GpuReading& g) { g.failed = {"power: timeout"}; }, "unreadable"},
    };
    for (const auto& row : rows) {
        GpuReading gpu = healthy();
        row.change(gpu);
        EXPECT_EQ(ids(judge(gpu, {}, {}, table(), from_millis(0))), row.found);
    }
    EXPECT_EQ(ids(judge(healthy(), {.frozen = true, .zero_but_busy = true}, {}, table(), from_millis(0))),
              "frozen zero_but_busy");
}

TEST(GpuHealth, XidsCountForAWhileAndOnlyTheirGpu) {
    const Timestamp now = from_millis(100'000'000);
    const auto xids = [&](const char* pci, std::int64_t code, Duration ago) {
        return std::vector<XidCount>{
            {.pci = pci, .code = code, .nvswitch = false, .count = 1, .last = now - ago, .detail = ""}};
    };
    EXPECT_EQ(ids(judge(healthy(), {}, xids("0000:3b:00.0", 79, 59min), table(), now)), "xid_critical");
    EXPECT_EQ(ids(judge(healthy(), {}, xids("0000:3b:00.0", 79, 61min), table(), now)), "");
    EXPECT_EQ(ids(judge(healthy(), {}, xids("0000:af:00.0", 79, 1min), table(), now)), "");
    EXPECT_EQ(ids(judge(healthy(), {}, xids("0000:3b:00.0", 13, 9min), table(), now)), "xid_warning");
    EXPECT_EQ(ids(judge(healthy(), {}, xids("0000:3b:00.0", 13, 11min), table(), now)), "");
    const auto findings = judge(healthy(), {}, xids("0000:3b:00.0", 79, 1min), table(), now);
    EXPECT_EQ(findings.at(0).what, "XID 79 (gone): reboot");
}

TEST(GpuHealth, TheScoreIsWhatIsLeft) {
    EXPECT_EQ(health_score({}), 100);
    EXPECT_EQ(health_score({{"hot", 10, ""}, {"unreadable", 5, ""}}), 85);
    EXPECT_EQ(health_score({{"lost", 100, ""}, {"hot", 10, ""}}), 0);
}

// Plays looks a second apart and says of each what is doubted: '-' nothing, 'F' frozen, '0' zero but busy.
std::string doubts_of(int seconds, const std::function<void(int, GpuReading&)>& change) {
    GpuDoubt doubt;
    std::string all;
    for (int i = 0; i < seconds; ++i) {
        GpuReading gpu = healthy();
        change(i, gpu);
        const auto found = doubt.observe(gpu, SteadyTime{} + std::chrono::seconds(i));
        all += found.frozen ? 'F' : found.zero_but_busy ? '0' : '-';
    }
    return all;
}

TEST(GpuDoubt, ValuesThatStandStillWhileItWorksAreFrozen) {
    EXPECT_EQ(doubts_of(63, [](int, GpuReading&) {}), std::string(60, '-') + "FFF");
    EXPECT_EQ(doubts_of(70, [](int i, GpuReading& g) { g.power = 400 + i % 2; }), std::string(70, '-'));
    EXPECT_EQ(doubts_of(70, [](int i, GpuReading& g) { g.utilization = i == 65 ? 0.8 : 0.9; }),
              std::string(60, '-') + "FFFFF-----")
        << "one that moves again is believed again";
}

TEST(GpuDoubt, AnIdleGpuMayStandStill) {
    EXPECT_EQ(doubts_of(100,
                        [](int, GpuReading& g) {
                            g.utilization = 0;
                            g.power = 70;
                        }),
              std::string(100, '-'));
}

TEST(GpuDoubt, ALostGpuIsNotFrozen) {
    EXPECT_EQ(doubts_of(70, [](int i, GpuReading& g) { g.lost = i > 30; }), std::string(70, '-'));
}

TEST(GpuDoubt, CountersThatAreZeroWhileItWorks) {
    const auto zero = [](int i, GpuReading& g) {
        g.sm_active = 0;
        g.graphics_active = 0;
        g.power = 400 + i;
    };
    EXPECT_EQ(doubts_of(12, zero), std::string(10, '-') + "00");
    EXPECT_EQ(doubts_of(12,
                        [&](int i, GpuReading& g) {
                            zero(i, g);
                            g.utilization = 0;
                            g.power = 60 + i;
                        }),
              std::string(12, '-'))
        << "idle, and says so";
    EXPECT_EQ(doubts_of(12,
                        [&](int i, GpuReading& g) {
                            zero(i, g);
                            g.sm_active = i == 11 ? 0.1 : 0;
                        }),
              std::string(10, '-') + "0-");
    EXPECT_EQ(doubts_of(12,
                        [](int i, GpuReading& g) {
                            g.sm_active.reset();
                            g.utilization = 0;
                            g.power = 400 + i;
                        }),
              std::string(10, '-') + "00")
        << "utilisation lies";
}

TEST(GpuDoubt, FalseZerosAreLeftOut) {
    GpuReading gpu = healthy();
    remove_false_zeros(gpu);
    EXPECT_FALSE(gpu.sm_active);
    EXPECT_FALSE(gpu.graphics_active);
    EXPECT_TRUE(gpu.utilization);
}

}  // namespace
}  // namespace stoker::collect
