// collect.gpu: the table of XIDs that a configuration names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "app/config.h"
#include "base/file.h"
#include "collect/gpu/xid_table.h"

namespace stoker::app {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class GpuConfigTest : public ::testing::Test {
protected:
    GpuConfigTest() { fs::create_directories(folder_); }
    ~GpuConfigTest() override { fs::remove_all(folder_); }

    LoadedConfig read_with(const std::string& gpu) {
        return read_config("collect: {gpu: {" + gpu + "}}", (folder_ / "c.yaml").string(),
                           [](const std::string&) { return std::nullopt; });
    }

    const fs::path folder_ = fs::path(::testing::TempDir()) / ("config_gpu_test" + std::to_string(::getpid()));
};

TEST_F(GpuConfigTest, ItsOwnTableIsReadFromItsFolder) {
    ASSERT_TRUE(write_file_atomic(folder_ / "xid.yaml",
                                  "xids: [{codes: 31, meaning: a bad address, action: replace, severity: info}]"));
    const auto loaded = read_with("xid_table: xid.yaml, kernel_log: ''");
    ASSERT_TRUE(loaded.ok()) << loaded.problems.front().text();
    ASSERT_NE(loaded.config.collect.gpu.xids, nullptr);
    EXPECT_EQ(loaded.config.collect.gpu.xids->find(31, "hopper").action, "replace");
    EXPECT_EQ(loaded.config.collect.gpu.kernel_log, "");
}

TEST_F(GpuConfigTest, WithoutOneTheTableThatShipsIsInForce) {
    const auto loaded = read_with("");
    ASSERT_TRUE(loaded.ok());
    EXPECT_EQ(loaded.config.collect.gpu.xids, nullptr);
    EXPECT_EQ(loaded.config.collect.gpu.kernel_log, "/dev/kmsg");
}

TEST_F(GpuConfigTest, EverythingWrongInItIsToldWithItsPlace) {
    ASSERT_TRUE(write_file_atomic(folder_ / "xid.yaml",
                                  "xids:\n"
                                  "  - {codes: 9-3, meaning: x, action: watch, severity: info}\n"
                                  "  - {codes: 9, meaning: x, action: pray, severity: info}\n"));
    const auto loaded = read_with("xid_table: xid.yaml");
    ASSERT_EQ(loaded.problems.size(), 2U);
    EXPECT_THAT(loaded.problems[0].text(), HasSubstr("xid.yaml:2:13: xids[0].codes: must be codes and ranges of them"));
    EXPECT_THAT(loaded.problems[1].text(), HasSubstr("xid.yaml:3:"));
    EXPECT_THAT(loaded.problems[1].text(), HasSubstr("xids[1].action"));
}

TEST_F(GpuConfigTest, ATableThatIsNotThereIsToldWithItsKey) {
    const auto loaded = read_with("xid_table: nowhere.yaml");
    ASSERT_EQ(loaded.problems.size(), 1U);
    EXPECT_THAT(loaded.problems[0].text(), HasSubstr("collect.gpu.xid_table"));
    EXPECT_THAT(loaded.problems[0].text(), HasSubstr("nowhere.yaml"));
}

}  // namespace
}  // namespace stoker::app
