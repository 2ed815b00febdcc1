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
