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
    options.driver_file = folder.path() + "/version";
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

TEST(AgentGpus, ADriverThatComesLaterIsRead) {
    const testing::TemporaryFolder folder;
    const std::string state = folder.path() + "/gpus";
    ASSERT_TRUE(write_file_atomic(state, "gpus=1\npower=345.5\n"));
    setenv("STOKER_FAKE_NVML", state.c_str(), 1);
    GpuOptions options;
    options.library = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "libfake_nvml.so";
    options.interval = Duration{100};
    const auto gpus = Gpus::create(options);
    ASSERT_TRUE(gpus) << gpus.error().message;
    Names names;
    metrics::Registry registry;
    collect::SourceRunner runner(names, registry);
    EXPECT_TRUE((*gpus)->look(runner, "n1", as_it_is));
    EXPECT_TRUE((*gpus)->look(runner, "n1", as_it_is));  // Once is enough.
    for (int i = 0; i < 500 && !names.has("gpu_power_watts"); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_TRUE(names.has("gpu_power_watts"));
    EXPECT_TRUE(names.has("DCGM_FI_DEV_POWER_USAGE"));
    (*gpus)->stop();
    runner.stop();
    unsetenv("STOKER_FAKE_NVML");
}

}  // namespace
}  // namespace stoker::agent
