#include "collect/gpu/gpu_source.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "collect/gpu/gpu_fixture.h"
#include "collect/gpu/xid_source.h"

namespace stoker::collect {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class GpuSourceTest : public testing::FakeNvml {
protected:
    Result<Unit> look() { return source_.collect(from_millis(at_ += 1000), sink_); }
    std::string newest(const std::string& series) const { return sink_.newest(series); }

    std::int64_t at_ = 1'000'000;
    std::shared_ptr<GpuBoard> board_ = std::make_shared<GpuBoard>();
    std::shared_ptr<XidBook> book_ = std::make_shared<XidBook>();
    std::shared_ptr<const XidTable> table_ = std::make_shared<XidTable>(testing::shipped_xids());
    GpuSource source_{
        std::make_unique<nvml::NvmlReader>(library()), board_, book_, table_, {.dcgm = DcgmNames::Add, .host = "box"}};
    testing::RememberingSink sink_;
};

const std::string who = R"(gpu="0",instance="box",uuid="GPU-fa4e0000-0000-0000-0000-000000000000")";

TEST_F(GpuSourceTest, OursAndDcgmsNamesSayTheSame) {
    tell("power=345.5\nutilization=87\nmemory_used=1024\n");
    ASSERT_TRUE(look());
    EXPECT_EQ(newest("gpu_power_watts{" + who + "}"), "345.5");
    EXPECT_EQ(newest("gpu_utilization_ratio{" + who + "}"), "0.87");
    EXPECT_EQ(newest("gpu_memory_used_bytes{" + who + "}"), "1.073741824e+09");
    const std::string dump = sink_.dump();
    EXPECT_THAT(dump, HasSubstr("DCGM_FI_DEV_POWER_USAGE{"));
    EXPECT_THAT(dump, ::testing::ContainsRegex(R"(DCGM_FI_DEV_GPU_UTIL\{[^}]*Hostname="box"[^}]*\} 87)"));
    EXPECT_THAT(dump, ::testing::ContainsRegex(R"(DCGM_FI_DEV_FB_USED\{[^}]*modelName="NVIDIA H100[^}]*\} 1024)"));
    EXPECT_THAT(dump, HasSubstr(R"(gpu_clock_hertz{clock="memory",)"));
}

TEST_F(GpuSourceTest, ThrottleReasonsAreOneSeriesEach) {
    tell("clock_reasons=68\n");  // Software power cap, hardware thermal.
    ASSERT_TRUE(look());
    const auto reason = [&](const std::string& name) {
        return newest(R"(gpu_throttle_active{gpu="0",instance="box",reason=")" + name +
                      R"(",uuid="GPU-fa4e0000-0000-0000-0000-000000000000"})");
    };
    EXPECT_EQ(reason("software_power_cap"), "1");
    EXPECT_EQ(reason("hardware_thermal"), "1");
    EXPECT_EQ(reason("idle"), "0");
}

TEST_F(GpuSourceTest, ALostGpusSeriesEndInsteadOfStandingStill) {
    tell("gpus=2\n");
    ASSERT_TRUE(look());
    tell("gpus=2\n0.lost=1\n");
    auto result = look();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("GPU 0: lost"));
    EXPECT_EQ(newest("gpu_up{" + who + "}"), "0");
    EXPECT_EQ(newest("gpu_power_watts{" + who + "}"), "stale");
    EXPECT_EQ(newest(R"(gpu_power_watts{gpu="1",instance="box",uuid="GPU-fa4e0000-0000-0000-0000-000000000001"})"),
              "300");
    ASSERT_EQ(board_->looks().size(), 1U);
    EXPECT_TRUE(board_->looks()[0].gpus[0].lost);
}

TEST_F(GpuSourceTest, WhatFailsForOnceEndsAndComesBack) {
    ASSERT_TRUE(look());
    tell("fail.temperature=999\n");
    auto result = look();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "GPU 0: temperature: Unknown Error (999)");
    EXPECT_EQ(newest("gpu_temperature_celsius{" + who + "}"), "stale");
    tell("");
    ASSERT_TRUE(look());
    EXPECT_EQ(newest("gpu_temperature_celsius{" + who + "}"), "61");
}

TEST_F(GpuSourceTest, WhatIsWrongLowersTheHealth) {
    tell("gpus=2\n1.clock_reasons=128\n1.remap_pending=1\n");
    book_->note(XidFrom::Event, "0000:3b:00.0", 79, false, from_millis(at_), "");
    ASSERT_TRUE(look());
    EXPECT_EQ(newest("gpu_health_score{" + who + "}"), "40");
    const auto finding = [&](const std::string& gpu, const std::string& id) {
        return newest("gpu_health_finding{finding=\"" + id + "\",gpu=\"" + gpu +
                      "\",instance=\"box\",uuid=\"GPU-fa4e0000-0000-0000-0000-00000000000" + gpu + "\"}");
    };
    EXPECT_EQ(finding("0", "xid_critical"), "60");
    EXPECT_EQ(finding("1", "hardware_slowdown"), "30");
    EXPECT_EQ(finding("1", "row_remap_pending"), "15");
    tell("gpus=2\n");
    ASSERT_TRUE(look());
    EXPECT_EQ(finding("1", "hardware_slowdown"), "stale");
    EXPECT_EQ(board_->looks()[0].gpus[1].health, 100);
}

TEST_F(GpuSourceTest, WithoutADriverItIsQuiet) {
    GpuSource none(std::make_unique<nvml::NvmlReader>("libstoker-no-such-library.so.1"), board_, book_, table_, {});
    EXPECT_TRUE(none.collect(from_millis(1), sink_));
    EXPECT_EQ(sink_.batches(), 0U);
    EXPECT_THAT(board_->looks().at(0).error, Not(""));
}

TEST_F(GpuSourceTest, ProcessesAreSeriesThatEndWithThem) {
    tell("processes=4711:512\n");
    ASSERT_TRUE(look());
    const std::string series = R"(gpu_process_memory_bytes{gpu="0",instance="box",pid="4711",type="compute",)"
                               R"(uuid="GPU-fa4e0000-0000-0000-0000-000000000000"})";
    EXPECT_EQ(newest(series), "5.36870912e+08");
    tell("processes=\n");
    ASSERT_TRUE(look());
    EXPECT_EQ(newest(series), "stale");
    EXPECT_EQ(newest("gpu_processes{" + who + "}"), "0");
}

// docs/gpu.md has one row for every family, in the order of the tables, with the help, and DCGM's names.
TEST(GpuDocs, TheTableIsWhatTheCodeSays) {
    std::string table;
    const auto row = [&](const std::string& name, const std::string& labels, const std::string& type,
                         const std::string& help, const std::string& dcgm) {
        table += "| `" + name + "` | " + labels + " | " + type + " | " + help + " | " + dcgm + " |\n";
    };
    const auto metrics = gpu_metrics();
    for (std::size_t i = 0; i < metrics.size();) {
        const std::string name = metrics[i].name;
        const std::string help = metrics[i].help;
        const std::string type = metrics[i].type;
        std::string labels;
        std::string dcgm;
        for (; i < metrics.size() && name == metrics[i].name; ++i) {
            const auto& metric = metrics[i];
            if (*metric.labels != 0) labels += (labels.empty() ? "`" : ", `") + std::string(metric.labels) + "`";
            if (*metric.dcgm != 0) dcgm += (dcgm.empty() ? "`" : ", `") + std::string(metric.dcgm) + "`";
        }
        EXPECT_NE(help, "") << name;
        row(name, labels, type, help, dcgm);
    }
    std::vector<GpuFamily> families(gpu_families().begin(), gpu_families().end());
    families.insert(families.end(), xid_families().begin(), xid_families().end());
    for (const auto& family : families) {
        row(family.name, *family.labels != 0 ? "`" + std::string(family.labels) + "`" : "", family.type, family.help,
            "");
    }
    table += "\n## Health\n| finding | points | when |\n|---|---|---|\n";
    for (const auto& kind : gpu_finding_kinds()) {
        table += "| `" + std::string(kind.id) + "` | " + std::to_string(kind.points) + " | " + kind.what + " |\n";
    }
    const std::string here = __FILE__;
    const std::string path = here.substr(0, here.rfind("/src/")) + "/docs/gpu.md";
    std::stringstream document;
    document << std::ifstream(path).rdbuf();
    EXPECT_THAT(document.str(), HasSubstr(table)) << "put this table into docs/gpu.md:\n" << table;
}

}  // namespace
}  // namespace stoker::collect
