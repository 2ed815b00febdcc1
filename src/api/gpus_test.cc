#include "api/gpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace stoker::api {
namespace {

using nlohmann::json;

collect::XidTable table() {
    auto parsed = collect::XidTable::parse(
        "xids:\n"
        "  - {codes: 79, meaning: it is gone, nvidia: RESTART_BM, action: reboot, severity: critical}\n"
        "  - {codes: 79, generations: [blackwell], meaning: it is gone, nvidia: RESET_GPU, action: reset_gpu, "
        "severity: critical}\n",
        "test");
    EXPECT_TRUE(parsed) << parsed.error().message;
    return parsed ? *std::move(parsed) : collect::XidTable{};
}

collect::GpuReading reading(unsigned index, const std::string& pci) {
    collect::GpuReading gpu;
    gpu.id.index = index;
    gpu.id.uuid = "GPU-" + std::to_string(index);
    gpu.id.name = "H100";
    gpu.id.pci = pci;
    return gpu;
}

json shown(const collect::GpuReport& report) {
    return json::parse(gpus_json(report, from_millis(5'000)));
}

TEST(ApiGpus, WhatAGpuDoesNotHaveIsNull) {
    auto gpu = reading(0, "0000:3b:00.0");
    gpu.utilization = 0;
    gpu.memory_used = 1024;
    const auto got = shown(
        {.looks = {{.reader = "nvml", .at = from_millis(4'000), .error = "", .gpus = {gpu}}}, .xids = {}, .table = {}});
    const auto& one = got.at("gpus").at(0);
    EXPECT_EQ(one.at("utilization"), 0);
    EXPECT_EQ(one.at("memory_used_bytes"), 1024);
    EXPECT_TRUE(one.at("sm_active").is_null());
    EXPECT_TRUE(one.at("power_watts").is_null());
    EXPECT_EQ(one.at("up"), true);
    EXPECT_EQ(one.at("health"), 100);
    EXPECT_EQ(one.at("mig"), false);
    EXPECT_EQ(one.at("clock_reasons"), json::array());
    EXPECT_EQ(got.at("readers"), json::parse(R"([{"reader":"nvml","at_ms":4000,"age_ms":1000,"gpus":1,"error":""}])"));
}

TEST(ApiGpus, AReaderThatCannotReadSaysWhy) {
    const auto got = shown({.looks = {{.reader = "nvml", .at = from_millis(4'000), .error = "no driver", .gpus = {}}},
                            .xids = {},
                            .table = {}});
    EXPECT_EQ(got.at("gpus"), json::array());
    EXPECT_EQ(got.at("readers").at(0).at("error"), "no driver");
    EXPECT_EQ(shown({}), json::parse(R"({"readers":[],"gpus":[]})"));
}

TEST(ApiGpus, AnXidIsShownAtItsGpuWithWhatItMeansThere) {
    auto hopper = reading(0, "0000:3b:00.0");
    hopper.id.generation = "hopper";
    auto blackwell = reading(1, "0000:3c:00.0");
    blackwell.id.generation = "blackwell";
    collect::XidBook book;
    book.note(collect::XidFrom::KernelLog, "0000:3b:00.0", 79, false, from_millis(3'000), "fell off");
    book.note(collect::XidFrom::KernelLog, "0000:3c:00.0", 79, false, from_millis(3'500), "fell off too");
    book.note(collect::XidFrom::KernelLog, "0000:3c:00.0", 20'034, true, from_millis(3'600), "a switch's");
    const auto got =
        shown({.looks = {{.reader = "nvml", .at = from_millis(4'000), .error = "", .gpus = {hopper, blackwell}}},
               .xids = book.counts(),
               .table = std::make_shared<collect::XidTable>(table())});
    ASSERT_EQ(got.at("gpus").at(0).at("xids").size(), 1U);
    EXPECT_EQ(got.at("gpus").at(0).at("xids").at(0).at("action"), "reboot");
    EXPECT_EQ(got.at("gpus").at(0).at("xids").at(0).at("detail"), "fell off");
    ASSERT_EQ(got.at("gpus").at(1).at("xids").size(), 1U);
    EXPECT_EQ(got.at("gpus").at(1).at("xids").at(0).at("action"), "reset_gpu");
    EXPECT_EQ(got.at("gpus").at(1).at("xids").at(0).at("last_ms"), 3'500);
}

TEST(ApiGpus, ProcessesInstancesAndReasons) {
    auto gpu = reading(0, "0000:3b:00.0");
    gpu.clock_reasons = 0x4 | 0x40;
    gpu.mig_enabled = 1;
    gpu.instances.emplace_back().profile = "1g.10gb";
    gpu.processes.emplace_back().memory_bytes = 2048;
    gpu.processes.back().replica = "chat/127.0.0.1:8000";
    gpu.findings.push_back({"hot", 10, "It is hot."});
    gpu.health = 90;
    const auto got =
        shown({.looks = {{.reader = "nvml", .at = {}, .error = "", .gpus = {gpu}}}, .xids = {}, .table = {}});
    const auto& one = got.at("gpus").at(0);
    EXPECT_EQ(one.at("clock_reasons"), json::parse(R"(["software_power_cap","hardware_thermal"])"));
    EXPECT_EQ(one.at("mig"), true);
    EXPECT_EQ(one.at("instances").at(0).at("profile"), "1g.10gb");
    EXPECT_TRUE(one.at("instances").at(0).at("sm_active").is_null());
    EXPECT_EQ(one.at("processes").at(0).at("replica"), "chat/127.0.0.1:8000");
    EXPECT_EQ(one.at("processes").at(0).at("memory_bytes"), 2048);
    EXPECT_EQ(one.at("findings"), json::parse(R"([{"id":"hot","points":10,"what":"It is hot."}])"));
}

TEST(ApiGpus, ANameThatIsNoTextBreaksNothing) {
    auto gpu = reading(0, "");
    gpu.id.name = "H\xff";
    const auto got =
        shown({.looks = {{.reader = "nvml", .at = {}, .error = "", .gpus = {gpu}}}, .xids = {}, .table = {}});
    EXPECT_EQ(got.at("gpus").at(0).at("name"), "H\xef\xbf\xbd");
}

}  // namespace
}  // namespace stoker::api
