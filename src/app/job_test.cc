#include "app/job.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

namespace stoker::app {
namespace {

TEST(Job, RunsAgainAndAgainUntilStopped) {
    metrics::Registry registry;
    std::atomic<int> runs{0};
    Job job(
        "test", Duration{1}, [&] { ++runs; }, registry);
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (runs < 3 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    job.stop();
    int then = runs;
    EXPECT_GE(then, 3);
    std::this_thread::yield();
    EXPECT_EQ(runs, then);
}

TEST(Job, SurvivesWhatItsWorkThrows) {
    metrics::Registry registry;
    std::atomic<int> runs{0};
    Job job(
        "throws", Duration{1},
        [&] {
            ++runs;
            throw std::runtime_error("on purpose");
        },
        registry);
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (runs < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    job.stop();
    EXPECT_GE(runs, 2);
    EXPECT_NE(registry.text().find("stoker_job_failures_total{job=\"throws\"}"), std::string::npos);
}

TEST(Job, StopsAtOnceWhileWaiting) {
    metrics::Registry registry;
    auto begin = std::chrono::steady_clock::now();
    Job job(
        "slow", Duration{3'600'000}, [] {}, registry);
    job.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace stoker::app
