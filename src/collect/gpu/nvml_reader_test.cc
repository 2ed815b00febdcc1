#include "collect/gpu/nvml_reader.h"

#include <gmock/gmock.h>

#include "collect/gpu/gpu_fixture.h"

namespace stoker::collect {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class NvmlReaderTest : public testing::FakeNvml {
protected:
    // The one look that must work.
    std::vector<GpuReading> look() {
        auto read = reader_.read();
        EXPECT_TRUE(read) << read.error().message;
        return read ? *std::move(read) : std::vector<GpuReading>{};
    }
    nvml::NvmlReader reader_{library()};
};

TEST_F(NvmlReaderTest, WithoutADriverThereIsNothingToRead) {
    nvml::NvmlReader none("libstoker-no-such-library.so.1");
    auto read = none.read();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::NotFound);
    EXPECT_THAT(read.error().message, HasSubstr("libstoker-no-such-library.so.1"));
}

TEST_F(NvmlReaderTest, SomeOtherLibraryIsRefused) {
    nvml::NvmlReader other("libm.so.6");
    auto read = other.read();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::Unavailable);
}

TEST_F(NvmlReaderTest, ADriverThatIsNotLoadedIsAnErrorWithItsName) {
    tell("init=9\n");
    auto read = reader_.read();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::Unavailable);
    EXPECT_EQ(read.error().message, "nvmlInit: Driver Not Loaded (9)");
}

TEST_F(NvmlReaderTest, SaysWhatEachGpuIs) {
    tell("gpus=2\n1.name=NVIDIA A100\n1.architecture=7\n");
    auto gpus = look();
    ASSERT_EQ(gpus.size(), 2U);
    EXPECT_EQ(gpus[0].id.name, "NVIDIA H100 80GB HBM3");
    EXPECT_EQ(gpus[0].id.generation, "hopper");
    EXPECT_EQ(gpus[0].id.pci, "0000:3b:00.0");
    EXPECT_EQ(gpus[0].id.driver, "580.00.01");
    EXPECT_EQ(gpus[0].id.cuda, "13.0");
    EXPECT_EQ(gpus[1].id.index, 1U);
    EXPECT_EQ(gpus[1].id.name, "NVIDIA A100");
    EXPECT_EQ(gpus[1].id.generation, "ampere");
}

TEST_F(NvmlReaderTest, ValuesAreInBaseUnits) {
    tell("power=345.5\nutilization=87\nmemory_used=1024\nsm_clock=1410\nenergy=12345.5\nlimited_power=7\n");
    auto gpu = look().at(0);
    EXPECT_DOUBLE_EQ(*gpu.power, 345.5);
    EXPECT_DOUBLE_EQ(*gpu.utilization, 0.87);
    EXPECT_DOUBLE_EQ(*gpu.memory_used, 1024.0 * 1024 * 1024);
    EXPECT_DOUBLE_EQ(*gpu.memory_total, *gpu.memory_used + *gpu.memory_free + *gpu.memory_reserved);
    EXPECT_DOUBLE_EQ(*gpu.sm_clock, 1.41e9);
    EXPECT_DOUBLE_EQ(*gpu.energy, 12345.5);
    EXPECT_DOUBLE_EQ(*gpu.limited_power, 7);
    EXPECT_DOUBLE_EQ(*gpu.memory_temperature, 70);
    EXPECT_DOUBLE_EQ(*gpu.power_instant, 310);
    EXPECT_DOUBLE_EQ(*gpu.nvlink_tx, 4096.0 * 1024);
    EXPECT_DOUBLE_EQ(*gpu.slowdown_temperature, 89);
    EXPECT_THAT(gpu.failed, IsEmpty());
}

TEST_F(NvmlReaderTest, WhatAGpuDoesNotHaveIsAbsentAndNotAskedAgain) {
    tell("memory_temperature=-1\npower=-1\n");
    auto gpu = look().at(0);
    EXPECT_FALSE(gpu.memory_temperature);
    EXPECT_FALSE(gpu.power);
    EXPECT_FALSE(gpu.retired_single) << "Hopper has no retired pages";
    EXPECT_THAT(gpu.failed, IsEmpty());
    tell("memory_temperature=50\npower=100\n");
    gpu = look().at(0);
    EXPECT_FALSE(gpu.memory_temperature);
    EXPECT_FALSE(gpu.power);
}

TEST_F(NvmlReaderTest, WhatFailsIsNamedAndTriedAgain) {
    tell("fail.power=10\nfail.ecc_corrected=999\n");
    auto gpu = look().at(0);
    EXPECT_FALSE(gpu.power);
    EXPECT_TRUE(gpu.temperature);
    EXPECT_THAT(gpu.failed, ElementsAre("power: Timeout (10)", "ecc_corrected: Unknown Error (999)"));
    tell("");
    gpu = look().at(0);
    EXPECT_TRUE(gpu.power);
    EXPECT_THAT(gpu.failed, IsEmpty());
}

TEST_F(NvmlReaderTest, ALostGpuIsLeftOutOfEverythingAndTheOthersAreRead) {
    tell("gpus=3\n");
    ASSERT_EQ(look().size(), 3U);
    tell("gpus=3\n1.lost=1\n");
    auto gpus = look();
    ASSERT_EQ(gpus.size(), 3U);
    EXPECT_TRUE(gpus[1].lost);
    EXPECT_EQ(gpus[1].id.index, 1U);
    EXPECT_FALSE(gpus[1].power);
    EXPECT_FALSE(gpus[0].lost);
    EXPECT_TRUE(gpus[2].power);
    tell("gpus=3\n");
    EXPECT_FALSE(look()[1].lost) << "a reset brings it back";
}

TEST_F(NvmlReaderTest, GpmNeedsTwoLooksAndAGpuThatHasIt) {
    tell("gpus=2\n1.architecture=8\ngpm.2=42\ngpm.20=3\n");
    auto first = look();
    EXPECT_FALSE(first[0].sm_active);
    std::this_thread::sleep_for(std::chrono::milliseconds(110));  // The shortest window that GPM is asked for.
    auto second = look();
    EXPECT_DOUBLE_EQ(*second[0].sm_active, 0.42);
    EXPECT_DOUBLE_EQ(*second[0].pcie_tx_rate, 3.0 * 1024 * 1024);
    EXPECT_FALSE(second[1].sm_active);
}

TEST_F(NvmlReaderTest, GpmsNotANumberIsAbsent) {
    tell("gpm.10=nan\n");
    look();
    std::this_thread::sleep_for(std::chrono::milliseconds(110));
    auto gpu = look().at(0);
    EXPECT_TRUE(gpu.sm_active);
    EXPECT_FALSE(gpu.dram_active);
}

TEST_F(NvmlReaderTest, WhatIsCostlyToReadIsHeldForAWhile) {
    tell("energy=100\npower=50\n");
    look();
    tell("energy=200\npower=60\n");
    auto gpu = look().at(0);
    EXPECT_DOUBLE_EQ(*gpu.energy, 100);
    EXPECT_DOUBLE_EQ(*gpu.power, 60);
    tell("lost=1\n");
    EXPECT_FALSE(look().at(0).energy) << "nothing is held of a GPU that is gone";
    tell("energy=1\n");
    EXPECT_DOUBLE_EQ(*look().at(0).energy, 1);
}

TEST_F(NvmlReaderTest, RetiredPagesAreCountedWithoutTheirAddresses) {
    tell("retired_pages=5\n");
    auto gpu = look().at(0);
    EXPECT_DOUBLE_EQ(*gpu.retired_single, 5);
}

TEST_F(NvmlReaderTest, NvlinksAreCountedByStateAndTheirErrorsSummed) {
    tell("nvlinks=12\nnvlinks_down=2\nnvlink_crc_flit=7\n");
    auto gpu = look().at(0);
    EXPECT_DOUBLE_EQ(*gpu.nvlinks_up, 10);
    EXPECT_DOUBLE_EQ(*gpu.nvlinks_down, 2);
    EXPECT_DOUBLE_EQ(*gpu.nvlink_crc_flit, 7);
    EXPECT_DOUBLE_EQ(*gpu.nvlink_replays, 0);
}

TEST_F(NvmlReaderTest, ProcessesWithTheirMemoryAndLoad) {
    tell("processes=4711:1024,4712:2\nprocess_sm=33\n");
    auto gpu = look().at(0);
    ASSERT_EQ(gpu.processes.size(), 2U);
    EXPECT_EQ(gpu.processes[0].pid, 4711);
    EXPECT_DOUBLE_EQ(*gpu.processes[0].memory_bytes, 1024.0 * 1024 * 1024);
    EXPECT_DOUBLE_EQ(*gpu.processes[1].sm_utilization, 0.33);
}

TEST_F(NvmlReaderTest, MoreProcessesThanExpectedAreReadAllTheSame) {
    std::string many = "processes=";
    for (int i = 1; i <= 100; ++i) many += (i > 1 ? "," : "") + std::to_string(1000 + i) + ":1";
    tell(many + "\n");
    EXPECT_EQ(look().at(0).processes.size(), 100U);
}

TEST_F(NvmlReaderTest, MigInstancesHaveTheirMemoryOnce) {
    tell("instances=3\n");
    auto gpu = look().at(0);
    EXPECT_DOUBLE_EQ(*gpu.mig_enabled, 1);
    ASSERT_EQ(gpu.instances.size(), 2U) << "two compute instances of one GPU instance are one";
    EXPECT_EQ(gpu.instances[0].gpu_instance, 1U);
    EXPECT_EQ(gpu.instances[0].profile, "1g.10gb");
    EXPECT_DOUBLE_EQ(*gpu.instances[0].memory_total, 81920.0 / 8 * 1024 * 1024);
}

}  // namespace
}  // namespace stoker::collect
