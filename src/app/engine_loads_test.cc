#include "app/engine_loads.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gateway/balance/replica_load.h"

namespace stoker::app {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kClock{1h};
const Timestamp kTime = from_millis(1'700'000'000'000);

tsdb::SeriesSample sample(const std::string& name, const std::string& replica, double value, tsdb::Labels more = {},
                          std::int64_t ago_ms = 40) {
    std::vector<tsdb::Labels::Pair> pairs(more.begin(), more.end());
    pairs.emplace_back("__name__", name);
    pairs.emplace_back("replica", replica);
    tsdb::SeriesSample made;
    made.labels = tsdb::Labels(std::move(pairs));
    made.sample = {to_millis(kTime) - ago_ms, value};
    return made;
}

TEST(EngineLoads, PicksTheLoadOfEachReplica) {
    const auto loads = replica_loads(
        {sample("llm_engine_requests_running", "chat/a:1", 3), sample("llm_engine_requests_waiting", "chat/a:1", 7),
         sample("llm_engine_kv_usage_ratio", "chat/a:1", 0.99), sample("vllm:num_requests_running", "chat/a:1", 50),
         sample("llm_engine_kv_capacity_tokens", "chat/a:1", 16'000),
         sample("llm_engine_requests_running", "chat/b:1", 1)},
        kTime, kClock);
    ASSERT_EQ(loads.size(), 2u);
    EXPECT_EQ(loads[0].replica, "chat/a:1");
    const gateway::EngineLoad& a = loads[0].report.load;
    EXPECT_EQ(a.running, 3);
    EXPECT_EQ(a.waiting, 7);
    EXPECT_EQ(a.kv_usage, 0.99);
    EXPECT_EQ(a.kv_tokens, 16'000);
    EXPECT_EQ(a.at, kClock - 40ms);
    const gateway::EngineLoad& b = loads[1].report.load;
    EXPECT_EQ(b.running, 1);
    EXPECT_EQ(b.waiting, 0);
    EXPECT_LT(b.kv_usage, 0) << "not said is not 0";
}

// vLLM keeps a series for each set of adapters that ever was; the value is when it was so.
TEST(EngineLoads, AdaptersInUseAreThoseOfTheLatestSeries) {
    const auto lora = [](const std::string& replica, double at, const std::string& running,
                         const std::string& waiting) {
        return sample("vllm:lora_requests_info", replica, at,
                      {{"max_lora", "2"}, {"running_lora_adapters", running}, {"waiting_lora_adapters", waiting}});
    };
    const auto loads =
        replica_loads({sample("llm_engine_requests_running", "a", 1), sample("llm_engine_requests_running", "b", 1),
                       sample("llm_engine_requests_running", "c", 1), lora("a", 1.7886264577368872e+09, "", ""),
                       lora("a", 1.788626470e+09, "sql,code", "sql,math"), lora("a", 1.788626465e+09, "old", ""),
                       lora("b", 1, "", "")},
                      kTime, kClock);
    ASSERT_EQ(loads.size(), 3u);
    ASSERT_TRUE(loads[0].report.activity);
    EXPECT_EQ(loads[0].report.activity->active, (std::vector<std::string>{"code", "math", "sql"}));
    EXPECT_EQ(loads[0].report.activity->slots, 2);
    gateway::ReplicaLoad load;
    EXPECT_EQ(load.adapter_heat("sql"), gateway::AdapterHeat::Unknown);
    load.report(loads[0].report);
    EXPECT_EQ(load.adapter_heat("sql"), gateway::AdapterHeat::Active);
    EXPECT_EQ(load.adapter_heat("other"), gateway::AdapterHeat::NoRoom);
    load.report(loads[1].report);
    EXPECT_EQ(load.adapter_heat("sql"), gateway::AdapterHeat::Cold);
    EXPECT_FALSE(loads[2].report.activity) << "it says nothing of adapters";
}

TEST(EngineLoads, ModelsOfOneEngineAddUpAndItsFullestCacheCounts) {
    const auto loads = replica_loads({sample("llm_engine_requests_waiting", "r", 2, {{"model", "x"}}),
                                      sample("llm_engine_requests_waiting", "r", 3, {{"model", "y"}}),
                                      sample("llm_engine_kv_usage_ratio", "r", 0.5, {{"model", "x"}}),
                                      sample("llm_engine_kv_usage_ratio", "r", 0.25, {{"model", "y"}})},
                                     kTime, kClock);
    ASSERT_EQ(loads.size(), 1u);
    EXPECT_EQ(loads[0].report.load.waiting, 5);
    EXPECT_EQ(loads[0].report.load.kv_usage, 0.5);
}

TEST(EngineLoads, WhatEndsOrIsNoLoadIsNone) {
    const double ended = std::numeric_limits<double>::quiet_NaN();
    EXPECT_TRUE(
        replica_loads({sample("llm_engine_requests_running", "r", ended), sample("llm_engine_requests_running", "", 3),
                       sample("llm_engine_requests_running", "r", -1), sample("llm_engine_kv_usage_ratio", "r", 0.5),
                       sample("up", "r", 1)},
                      kTime, kClock)
            .empty());
}

TEST(EngineLoads, OddSizesOfCachesAreUnknown) {
    for (const double odd : {0.0, -5.0, std::nan("")}) {
        const auto loads = replica_loads(
            {sample("llm_engine_requests_running", "r", 1), sample("llm_engine_kv_capacity_tokens", "r", odd)}, kTime,
            kClock);
        ASSERT_EQ(loads.size(), 1u);
        EXPECT_EQ(loads[0].report.load.kv_tokens, 0) << odd;
    }
}

TEST(EngineLoads, ATimeToComeIsThePresent) {
    const auto loads = replica_loads({sample("llm_engine_requests_running", "r", 1, {}, -5000)}, kTime, kClock);
    ASSERT_EQ(loads.size(), 1u);
    EXPECT_EQ(loads[0].report.load.at, kClock);
}

struct Kept : collect::SampleSink {
    void append(const std::vector<tsdb::SeriesSample>& samples) override { count += samples.size(); }
    std::size_t count = 0;
};

TEST(EngineLoads, PassesAllOnAndReports) {
    Kept next;
    std::vector<std::string> reported;
    EngineLoads loads(next, [&](std::string_view replica, const gateway::EngineReport& report) {
        reported.emplace_back(replica);
        EXPECT_EQ(report.load.waiting, 4);
    });
    loads.append({sample("llm_engine_requests_waiting", "chat/a:1", 4), sample("up", "chat/a:1", 1)});
    EXPECT_EQ(next.count, 2u);
    EXPECT_EQ(reported, std::vector<std::string>{"chat/a:1"});
}

}  // namespace
}  // namespace stoker::app
