#include "collect/gpu/ascend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/scrape/scrape.h"
#include "collect/testing.h"

namespace stoker::collect {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// What is made of a page, as text without `gpu="0"`.
std::vector<std::string> made_of(std::string_view samples) {
    const std::string text = "# TYPE npu_chip_info_power gauge\n" + std::string(samples);
    auto page = read_page(text, PageFormat::Prometheus, 0, {});
    EXPECT_TRUE(page.has_value()) << (page ? "" : page.error().message);
    std::vector<std::string> out;
    if (!page) return out;
    for (const auto& sample : ascend_samples(page->samples)) {
        std::string line(sample.name);
        for (const auto& [label, value] : sample.labels) {
            if (!value.empty() && (label != "gpu" || value != "0")) line += " " + label + "=" + value;
        }
        out.push_back(line + " " + format_number(sample.value));
    }
    return out;
}

TEST(GpuAscend, UnitsBecomeOurs) {
    const auto made = made_of(
        R"(npu_chip_info_utilization{id="0",model_name="910B3",pcie_bus_info="0000:61:00.0",vdie_id="D1"} 25
npu_chip_info_hbm_total_memory{id="0",vdie_id="D1"} 65536
npu_chip_info_hbm_used_memory{id="0",vdie_id="D1"} 16384
npu_chip_info_power{id="0",vdie_id="D1"} 93.5
npu_chip_info_temperature{id="0",vdie_id="D1"} 41
npu_chip_info_aicore_current_freq{id="0",vdie_id="D1"} 1000
npu_chip_info_hbm_ecc_total_double_bit_error_cnt{id="0",vdie_id="D1"} 2
)");
    EXPECT_THAT(made, UnorderedElementsAre("gpu_utilization_ratio uuid=D1 0.25",               //
                                           "gpu_memory_total_bytes uuid=D1 6.8719476736e+10",  //
                                           "gpu_memory_used_bytes uuid=D1 1.7179869184e+10",   //
                                           "gpu_memory_free_bytes uuid=D1 5.1539607552e+10",   //
                                           "gpu_memory_headroom_ratio uuid=D1 0.75",           //
                                           "gpu_power_watts uuid=D1 93.5",                     //
                                           "gpu_temperature_celsius uuid=D1 41",               //
                                           "gpu_clock_hertz uuid=D1 clock=sm 1e+09",           //
                                           "gpu_ecc_errors_total uuid=D1 type=uncorrected since=manufacture 2",
                                           "gpu_info uuid=D1 name=910B3 vendor=huawei pci=0000:61:00.0 1"));
}

// A 910 shows its DDR as 0; a 310 has nothing else.
TEST(GpuAscend, MemoryIsTheKindThatTheChipHas) {
    EXPECT_THAT(made_of("npu_chip_info_hbm_total_memory{id=\"0\"} 1\nnpu_chip_info_total_memory{id=\"0\"} 0\n"),
                UnorderedElementsAre("gpu_memory_total_bytes 1.048576e+06", "gpu_info vendor=huawei 1"));
    EXPECT_THAT(made_of("npu_chip_info_hbm_total_memory{id=\"0\"} 0\nnpu_chip_info_total_memory{id=\"0\"} 2\n"),
                UnorderedElementsAre("gpu_memory_total_bytes 2.097152e+06", "gpu_info vendor=huawei 1"));
}

TEST(GpuAscend, WhatCouldNotBeReadIsAbsent) {
    for (const char* value : {"-1", "4294967295", "4294967294", "NaN"}) {
        EXPECT_THAT(made_of(std::string("npu_chip_info_power{id=\"0\"} ") + value + "\n"),
                    UnorderedElementsAre("gpu_info vendor=huawei 1"))
            << value;
    }
}

TEST(GpuAscend, OtherPagesMakeNothing) {
    EXPECT_THAT(made_of("up 1\nvllm:num_requests_running{id=\"0\"} 3\nnpu_chip_info_power 3\n"), IsEmpty());
}

TEST(GpuAscend, AScrapeHasBothNames) {
    Scrape scrape({{"instance", "n:8082"}, {"job", "npu"}});
    Scraped out;
    const auto read =
        scrape.scraped("# TYPE npu_chip_info_power gauge\nnpu_chip_info_power{id=\"3\",vdie_id=\"D\"} 70\n",
                       PageFormat::Prometheus, from_millis(1000), std::chrono::milliseconds{20}, out);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    const auto values = testing::values(out.samples);
    EXPECT_EQ(values.at(R"(npu_chip_info_power{id="3",vdie_id="D"})"), "70");
    EXPECT_EQ(values.at(R"(gpu_power_watts{gpu="3",uuid="D"})"), "70");
}

}  // namespace
}  // namespace stoker::collect
