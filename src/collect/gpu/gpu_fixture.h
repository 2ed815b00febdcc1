// What the GPU tests share: the stand-ins for NVIDIA's and AMD's libraries (test/fake_nvml, test/fake_rocm).
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

// A stand-in for a vendor's library, `library` beside the test program, told by the file that `variable` names.
class FakeGpuLibrary : public ::testing::Test {
protected:
    FakeGpuLibrary(std::string library, const char* variable) : library_(std::move(library)), variable_(variable) {}

    void SetUp() override {
        const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
        file_ = std::filesystem::path(::testing::TempDir()) /
                (std::string("fake_gpus_") + info->test_suite_name() + "_" + info->name());
        tell("");
        setenv(variable_, file_.c_str(), 1);
    }
    void TearDown() override {
        unsetenv(variable_);
        std::filesystem::remove(file_);
    }

    // What the library does from now on: lines of the README.md beside its source.
    void tell(const std::string& lines) { ASSERT_TRUE(write_file_atomic(file_, lines)); }

    std::string library() const {
        return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / library_).string();
    }

    const std::string library_;
    const char* const variable_;
    std::filesystem::path file_;
};

class FakeNvml : public FakeGpuLibrary {
protected:
    FakeNvml() : FakeGpuLibrary("libfake_nvml.so", "STOKER_FAKE_NVML") {}
};

class FakeRocm : public FakeGpuLibrary {
protected:
    FakeRocm() : FakeGpuLibrary("libfake_rocm.so", "STOKER_FAKE_ROCM") {}
};

}  // namespace stoker::collect::testing
