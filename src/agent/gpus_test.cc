#include "agent/gpus.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <set>

#include "agent/testing.h"
#include "base/file.h"

namespace stoker::agent {
namespace {

std::shared_ptr<collect::Source> as_it_is(std::shared_ptr<collect::Source> source) {
    return source;
}

class Names final : public collect::SampleSink {
public:
    void append(const std::vector<tsdb::SeriesSample>& samples) override {
        std::lock_guard lock(mutex_);
        for (const auto& one : samples) names_.insert(std::string(one.labels.metric()));
    }
    bool has(const std::string& name) const {
        std::lock_guard lock(mutex_);
        return names_.contains(name);
    }

private:
    mutable std::mutex mutex_;
    std::set<std::string> names_;
};

TEST(AgentGpus, WithoutADriverNothingIsStarted) {
    const testing::TemporaryFolder folder;
    GpuOptions options;
    options.nvidia_driver = folder.path() + "/version";
    options.amd_driver = folder.path() + "/amdgpu";
    const auto gpus = Gpus::create(options);
    ASSERT_TRUE(gpus) << gpus.error().message;
    Names names;
    metrics::Registry registry;
    collect::SourceRunner runner(names, registry);
    EXPECT_FALSE((*gpus)->look(runner, "n1", as_it_is));
    options.enabled = false;
    options.library = "/somewhere";
    EXPECT_FALSE((*Gpus::create(options))->look(runner, "n1", as_it_is));
    runner.stop();
}

// Looks until `metric` is there, with a stand-in for the library that `variable` tells what to be.
void expect_read(GpuOptions options, const char* variable, const std::string& metric) {
    const testing::TemporaryFolder folder;
    const std::string state = folder.path() + "/gpus";
    ASSERT_TRUE(write_file_atomic(state, "gpus=1\n"));
    setenv(variable, state.c_str(), 1);
    options.nvidia_driver = options.amd_driver = folder.path() + "/none";
    options.interval = Duration{100};
    const auto gpus = Gpus::create(options);
    ASSERT_TRUE(gpus) << gpus.error().message;
    Names names;
    metrics::Registry registry;
    collect::SourceRunner runner(names, registry);
    EXPECT_TRUE((*gpus)->look(runner, "n1", as_it_is));
    EXPECT_TRUE((*gpus)->look(runner, "n1", as_it_is));  // Once is enough.
    for (int i = 0; i < 500 && !names.has(metric); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(names.has(metric));
    (*gpus)->stop();
    runner.stop();
    unsetenv(variable);
}

std::string beside_us(const char* library) {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / library;
}

TEST(AgentGpus, NvidiasAreRead) {
    expect_read({.library = beside_us("libfake_nvml.so")}, "STOKER_FAKE_NVML", "DCGM_FI_DEV_POWER_USAGE");
}

TEST(AgentGpus, AmdsAreRead) {
    expect_read({.rocm_library = beside_us("libfake_rocm.so")}, "STOKER_FAKE_ROCM", "gpu_power_watts");
}

}  // namespace
}  // namespace stoker::agent
