#include "collect/gpu/rocm_reader.h"

#include <gmock/gmock.h>

#include "collect/gpu/gpu_fixture.h"

namespace stoker::collect {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RocmReaderTest : public testing::FakeRocm {
protected:
    // The one look that must work.
    std::vector<GpuReading> look() {
        auto read = reader_.read();
        EXPECT_TRUE(read) << read.error().message;
        return read ? *std::move(read) : std::vector<GpuReading>{};
    }
    rocm::RocmReader reader_{library()};
};

TEST_F(RocmReaderTest, WithoutADriverThereIsNothingToRead) {
    rocm::RocmReader none("libstoker-no-such-library.so.1");
    auto read = none.read();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::NotFound);
    EXPECT_THAT(read.error().message, HasSubstr("libstoker-no-such-library.so.1"));
}

TEST_F(RocmReaderTest, SomeOtherLibraryIsRefused) {
    rocm::RocmReader other("libm.so.6");
    auto read = other.read();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::Unavailable);
}

TEST_F(RocmReaderTest, ADriverThatIsNotLoadedIsAnErrorWithItsName) {
    tell("init=8\n");
    auto read = reader_.read();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().message, "rsmi_init: RSMI_STATUS_INIT_ERROR (8)");
}

TEST_F(RocmReaderTest, AMachineWithRocmAndNoGpuHasNothingToRead) {
    tell("gpus=0\n");
    auto read = reader_.read();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::NotFound);
}

TEST_F(RocmReaderTest, SaysWhatEachGpuIs) {
    tell("gpus=2\n1.unique_id=-1\n1.market_name=-1\n");
    auto gpus = look();
    ASSERT_EQ(gpus.size(), 2U);
    EXPECT_EQ(gpus[0].id.vendor, "amd");
    EXPECT_EQ(gpus[0].id.name, "AMD Instinct MI300X");
    EXPECT_EQ(gpus[0].id.uuid, "GPU-0000000000001000");
    EXPECT_EQ(gpus[0].id.pci, "0000:05:00.0");
    EXPECT_EQ(gpus[0].id.driver, "6.12.12");
    EXPECT_EQ(gpus[1].id.name, "0x74a1");
    EXPECT_EQ(gpus[1].id.uuid, "PCI-0000:06:00.0");
}

TEST_F(RocmReaderTest, ValuesAreInBaseUnits) {
    tell("busy=87\nmemory_used=2048\npower=512.5\nenergy=1234\npcie_replays=3\n");
    auto gpu = look().at(0);
    EXPECT_DOUBLE_EQ(*gpu.utilization, 0.87);
    EXPECT_DOUBLE_EQ(*gpu.memory_io, 0.4);
    EXPECT_DOUBLE_EQ(*gpu.memory_used, 2048.0 * 1024 * 1024);
    EXPECT_DOUBLE_EQ(*gpu.memory_free, (196'592.0 - 2048) * 1024 * 1024);
    EXPECT_DOUBLE_EQ(*gpu.temperature, 60);
    EXPECT_DOUBLE_EQ(*gpu.memory_temperature, 70);
    EXPECT_DOUBLE_EQ(*gpu.slowdown_temperature, 100);
    EXPECT_DOUBLE_EQ(*gpu.shutdown_temperature, 105);
    EXPECT_DOUBLE_EQ(*gpu.power, 512.5);
    EXPECT_FALSE(gpu.power_instant);
    EXPECT_DOUBLE_EQ(*gpu.power_limit, 750);
    EXPECT_NEAR(*gpu.energy, 1234, 1e-3);
    EXPECT_DOUBLE_EQ(*gpu.sm_clock, 1.4e9);
    EXPECT_DOUBLE_EQ(*gpu.sm_clock_max, 2.1e9);
    EXPECT_DOUBLE_EQ(*gpu.memory_clock, 1.1e9);
    EXPECT_DOUBLE_EQ(*gpu.pcie_generation, 5);
    EXPECT_DOUBLE_EQ(*gpu.pcie_width, 16);
    EXPECT_DOUBLE_EQ(*gpu.pcie_replays, 3);
    EXPECT_THAT(gpu.failed, IsEmpty());
}

TEST_F(RocmReaderTest, LibrariesBeforeRocm6AreReadTheSame) {
    tell("layout=5\nstep=2\npcie_step=1\n");
    auto gpu = look().at(0);
    EXPECT_DOUBLE_EQ(*gpu.sm_clock, 2.1e9);
    EXPECT_DOUBLE_EQ(*gpu.memory_clock_max, 1.3e9);
    EXPECT_DOUBLE_EQ(*gpu.pcie_generation, 4);
    EXPECT_DOUBLE_EQ(*gpu.pcie_generation_max, 5);
    EXPECT_DOUBLE_EQ(*gpu.pcie_width, 8);
    EXPECT_DOUBLE_EQ(*gpu.pcie_width_max, 16);
}

TEST_F(RocmReaderTest, AGpuWithThePowerOfTheMomentAlone) {
    tell("power=-1\npower_now=650\n");
    auto gpu = look().at(0);
    EXPECT_DOUBLE_EQ(*gpu.power, 650);
    EXPECT_DOUBLE_EQ(*gpu.power_instant, 650);
    EXPECT_THAT(gpu.failed, IsEmpty());
}

TEST_F(RocmReaderTest, WithoutAHottestSpotTheEdgeAndItsLimitAreTaken) {
    tell("junction=-1\nedge=44\n");
    auto gpu = look().at(0);
    EXPECT_DOUBLE_EQ(*gpu.temperature, 44);
    EXPECT_DOUBLE_EQ(*gpu.slowdown_temperature, 95);
}

TEST_F(RocmReaderTest, WhatAGpuDoesNotHaveIsAbsentAndNotAskedAgain) {
    tell("memory_busy=-1\n");
    auto gpu = look().at(0);
    EXPECT_FALSE(gpu.memory_io);
    EXPECT_FALSE(gpu.fan) << "it has no fan of its own";
    EXPECT_THAT(gpu.failed, IsEmpty());
    tell("memory_busy=50\n");
    EXPECT_FALSE(look().at(0).memory_io);
}

TEST_F(RocmReaderTest, WhatFailsIsNamedAndTriedAgain) {
    look();
    tell("fail.busy=16\nfail.memory_used=2\n");
    auto gpu = look().at(0);
    EXPECT_FALSE(gpu.lost);
    EXPECT_FALSE(gpu.utilization);
    EXPECT_THAT(gpu.failed,
                ElementsAre("utilization: RSMI_STATUS_BUSY (16)", "memory_used: RSMI_STATUS_NOT_SUPPORTED (2)"));
    tell("");
    gpu = look().at(0);
    EXPECT_TRUE(gpu.utilization);
    EXPECT_THAT(gpu.failed, IsEmpty());
}

TEST_F(RocmReaderTest, WhatCannotBeIsAbsentAndNamed) {
    tell("busy=65535\njunction=65535\npower=65535\nmemory_used=999999\n");
    auto gpu = look().at(0);
    EXPECT_FALSE(gpu.utilization);
    EXPECT_FALSE(gpu.temperature);
    EXPECT_FALSE(gpu.memory_free) << "more is used than there is";
    EXPECT_THAT(gpu.failed, ::testing::Contains("utilization: 655.35 can't be"));
}

TEST_F(RocmReaderTest, AGpuThatAnswersNothingOfWhatItDidIsLostAndTheOthersAreRead) {
    tell("gpus=3\n");
    ASSERT_EQ(look().size(), 3U);
    tell("gpus=3\n1.lost=1\n");
    auto gpus = look();
    ASSERT_EQ(gpus.size(), 3U);
    EXPECT_TRUE(gpus[1].lost);
    EXPECT_EQ(gpus[1].id.uuid, "GPU-0000000000001001");
    EXPECT_FALSE(gpus[1].power);
    EXPECT_FALSE(gpus[0].lost);
    EXPECT_TRUE(gpus[2].power);
    tell("gpus=3\n");
    auto again = look();
    EXPECT_FALSE(again[1].lost);
    EXPECT_TRUE(again[1].energy) << "everything is read anew";
}

TEST_F(RocmReaderTest, ErrorsOfAllBlocksAreSummed) {
    tell("ecc_corrected=20\necc_uncorrected=10\npages_reserved=3\npages_pending=1\n");
    auto gpu = look().at(0);
    EXPECT_DOUBLE_EQ(*gpu.ecc_enabled, 1);
    EXPECT_DOUBLE_EQ(*gpu.ecc_corrected, 22) << "memory's, and another block's tenth";
    EXPECT_DOUBLE_EQ(*gpu.ecc_uncorrected, 11);
    EXPECT_DOUBLE_EQ(*gpu.retired_uncorrected, 3);
    EXPECT_DOUBLE_EQ(*gpu.retired_pending, 1);
}

TEST_F(RocmReaderTest, WithoutErrorCountersThereIsNoCount) {
    tell("ecc_blocks=0\n");
    auto gpu = look().at(0);
    EXPECT_DOUBLE_EQ(*gpu.ecc_enabled, 0);
    EXPECT_FALSE(gpu.ecc_corrected);
}

TEST_F(RocmReaderTest, ProcessesAreOnTheGpusThatTheyUse) {
    tell("gpus=2\nprocesses=4711:0:1024,4711:1:2048,4712:1:1\noccupancy=25\n");
    auto gpus = look();
    EXPECT_TRUE(gpus[0].processes_known);
    ASSERT_EQ(gpus[0].processes.size(), 1U);
    EXPECT_EQ(gpus[0].processes[0].pid, 4711);
    EXPECT_DOUBLE_EQ(*gpus[0].processes[0].memory_bytes, 1024.0 * 1024 * 1024);
    EXPECT_DOUBLE_EQ(*gpus[0].processes[0].sm_utilization, 0.25);
    ASSERT_EQ(gpus[1].processes.size(), 2U);
}

TEST_F(RocmReaderTest, AnOldLibraryDoesNotSayWhichGpuHoldsTheMemoryOfAProcessOnTwo) {
    tell("gpus=2\nby_device=0\nprocesses=4711:0:1024,4711:1:2048,4712:1:1\n");
    auto gpus = look();
    ASSERT_EQ(gpus[1].processes.size(), 2U);
    EXPECT_FALSE(gpus[0].processes[0].memory_bytes);
    EXPECT_DOUBLE_EQ(*gpus[1].processes[1].memory_bytes, 1024.0 * 1024);
}

TEST_F(RocmReaderTest, ManyProcessesAreReadAllTheSame) {
    std::string many = "processes=";
    for (int i = 1; i <= 100; ++i) many += (i > 1 ? "," : "") + std::to_string(1000 + i) + ":0:1";
    tell(many + "\n");
    EXPECT_EQ(look().at(0).processes.size(), 100U);
}

// The names of NVIDIA's, but for DCGM's.
TEST_F(RocmReaderTest, SamplesHaveTheNamesThatNvidiasHave) {
    SampleBatch out(from_millis(1), {});
    add_samples(look().at(0), DcgmNames::Add, "host", out);
    std::set<std::string> names;
    bool vendor = false;
    for (const auto& sample : out.samples()) {
        const std::string name(sample.labels.get("__name__"));
        EXPECT_FALSE(name.starts_with("DCGM")) << name;
        names.insert(name);
        if (name == "gpu_info") vendor = sample.labels.get("vendor") == "amd";
    }
    EXPECT_TRUE(vendor);
    EXPECT_THAT(names, ::testing::IsSupersetOf({"gpu_up", "gpu_utilization_ratio", "gpu_memory_used_bytes",
                                                "gpu_temperature_celsius", "gpu_power_watts", "gpu_energy_joules_total",
                                                "gpu_clock_hertz", "gpu_ecc_errors_total", "gpu_pcie_link_width",
                                                "gpu_memory_headroom_ratio"}));
}

}  // namespace
}  // namespace stoker::collect
