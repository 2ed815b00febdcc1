// What engines say of themselves, from report_load() to the choice of a replica.
#include "gateway/balance/balance.h"
#include "gateway/rig_test.h"

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;
using test::Act;
using test::Rig;

EngineReport report(double waiting, double kv_usage, SteadyTime at = std::chrono::steady_clock::now()) {
    EngineReport made;
    made.load.at = at;
    made.load.running = 4;
    made.load.waiting = waiting;
    made.load.kv_usage = kv_usage;
    return made;
}

TEST(EngineLoad, AnEngineThatIsBusyGetsLess) {
    for (const EngineReport& busy : {report(20, 0.5), report(0, 0.99)}) {
        Rig rig(2);
        rig.gateway().report_load(rig.status(0).id, busy);
        rig.gateway().report_load(rig.status(1).id, report(0, 0.1));
        for (int i = 0; i < 20; ++i) EXPECT_EQ(rig.ask().status, 200);
        EXPECT_EQ(rig.upstream(0).requests(), 0);
        EXPECT_EQ(rig.upstream(1).requests(), 20);
    }
}

TEST(EngineLoad, WhatWasSaidLongAgoDoesNotCount) {
    Rig rig(2);
    const SteadyTime old = std::chrono::steady_clock::now() - rig.pool().balance.stale_after;
    rig.gateway().report_load(rig.status(0).id, report(20, 0.99, old));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(rig.ask().status, 200);
    EXPECT_GT(rig.upstream(0).requests(), 4);
}

TEST(EngineLoad, EveryPoolOfAnEngineHears) {
    Rig rig(2);
    PoolOptions& other = rig.add_pool("other", "large");
    other.replicas = {{rig.upstream(0).url()}, {rig.upstream(1).url()}};
    ASSERT_TRUE(rig.apply());
    rig.gateway().report_load(rig.status(0).id, report(20, 0.99));
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(rig.ask({.body = R"({"model":"large","prompt":"x"})", .path = "/v1/completions"}).status, 200);
    EXPECT_EQ(rig.upstream(0).requests(), 0);
    rig.gateway().report_load("chat/nobody:1", report(20, 0.99));
}

TEST(EngineLoad, AnotherProcessHasAnEmptyCacheAndAnotherLoad) {
    Rig rig(2, [](PoolOptions& pool) { pool.breaker.slow_start = Duration{0}; });
    rig.gateway().report_load(rig.status(0).id, report(20, 0.99));
    ASSERT_TRUE(rig.gateway().hint_down(rig.status(0).id, "its process ended"));
    ASSERT_TRUE(rig.gateway().eject(rig.status(0).id, "to be sure"));
    ASSERT_TRUE(rig.gateway().readmit(rig.status(0).id));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(rig.ask().status, 200);
    EXPECT_GT(rig.upstream(0).requests(), 4);
}

}  // namespace
}  // namespace stoker::gateway
