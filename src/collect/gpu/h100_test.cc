// What an H100 under load answered (driver 580.159.04, 2026-11-23; bench_gpu beside nvidia-smi), told again: the
// samples must be those that were written there.
#include <gmock/gmock.h>

#include <cmath>
#include <sstream>
#include <thread>

#include "collect/gpu/gpu_fixture.h"

namespace stoker::collect {
namespace {

using Values = std::map<std::string, std::string>;

// Names and labels that say which machine it was, or what a process is called there.
std::vector<std::string> of_the_machine() {
    return {"job",    "instance", "uuid",       "UUID",           "Hostname",
            "serial", "pci",      "pci_bus_id", "driver",         "DCGM_FI_DRIVER_VERSION",
            "vbios",  "process",  "replica",    "engine_instance"};
}

class KeepAll : public SampleSink {
public:
    void append(const std::vector<tsdb::SeriesSample>& samples) override {
        for (auto& [series, value] : testing::values(samples, of_the_machine())) values[series] = value;
    }
    Values values;
};

Values recorded() {
    Values all;
    std::istringstream lines(testing::testdata("gpu/h100_load.prom"));
    for (std::string line; std::getline(lines, line);) {
        const auto space = line.rfind(' ');
        if (space != std::string::npos) all[line.substr(0, space)] = line.substr(space + 1);
    }
    return all;
}

Values without_values(Values all) {
    for (auto& [series, value] : all) value.clear();
    return all;
}

class GpuH100Test : public testing::FakeNvml {};

TEST_F(GpuH100Test, TheSameAnswersMakeTheSameSamples) {
    tell(testing::testdata("gpu/h100_load.state"));
    auto board = std::make_shared<GpuBoard>();
    GpuSource source(std::make_unique<nvml::NvmlReader>(library()), board, std::make_shared<XidBook>(),
                     std::make_shared<XidTable>(testing::shipped_xids()), {.dcgm = DcgmNames::Add, .host = "box"});
    KeepAll sink;
    const Values wanted = recorded();
    ASSERT_GT(wanted.size(), 100u);
    // What is measured between two looks needs some time between them.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!sink.values.contains(R"(gpu_sm_active_ratio{gpu="0"})") && std::chrono::steady_clock::now() < deadline) {
        const auto looked = source.collect(from_millis(1'000'000), sink);
        ASSERT_TRUE(looked) << looked.error().message;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    // What we think of it came later than the record.
    Values got = sink.values;
    for (const char* thought : {"gpu_health_score", "gpu_frozen", "gpu_zero_but_busy"}) {
        ASSERT_EQ(got.erase(std::string(thought) + R"({gpu="0"})"), 1u) << thought;
    }
    EXPECT_EQ(without_values(got), without_values(wanted));
    for (const auto& [series, value] : wanted) {
        const double want = std::stod(value);
        EXPECT_NEAR(std::stod(got[series]), want, 1e-6 * std::max(1.0, std::abs(want))) << series;
    }
    // It was well, and worked.
    const auto looks = board->looks();
    ASSERT_EQ(looks.size(), 1u);
    ASSERT_EQ(looks[0].gpus.size(), 1u);
    EXPECT_EQ(looks[0].gpus[0].health, 100);
    EXPECT_FALSE(looks[0].gpus[0].zero_but_busy);
}

}  // namespace
}  // namespace stoker::collect
