// What the GPU tests share: the stand-in for NVIDIA's library (test/fake_nvml) and what it is told.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "collect/gpu/gpu_source.h"
#include "collect/gpu/nvml_reader.h"
#include "collect/testing.h"

namespace stoker::collect::testing {

// The table that ships, config/gpu/xid.yaml.
inline XidTable shipped_xids() {
    const std::string here = __FILE__;
    const auto text = read_file(here.substr(0, here.rfind("/src/")) + "/config/gpu/xid.yaml");
    EXPECT_TRUE(text) << "config/gpu/xid.yaml can't be read";
    auto table = XidTable::parse(text ? *text : "", "config/gpu/xid.yaml");
    EXPECT_TRUE(table) << table.error().message;
    return table ? *std::move(table) : XidTable{};
}

class FakeNvml : public ::testing::Test {
protected:
    void SetUp() override {
        const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
        file_ = std::filesystem::path(::testing::TempDir()) /
                (std::string("fake_nvml_") + info->test_suite_name() + "_" + info->name());
        tell("");
        setenv("STOKER_FAKE_NVML", file_.c_str(), 1);
    }
    void TearDown() override {
        unsetenv("STOKER_FAKE_NVML");
        std::filesystem::remove(file_);
    }

    // What the library does from now on: lines of test/fake_nvml/README.md.
    void tell(const std::string& lines) { ASSERT_TRUE(write_file_atomic(file_, lines)); }

    static std::string library() {
        return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "libfake_nvml.so").string();
    }

    std::filesystem::path file_;
};

}  // namespace stoker::collect::testing
