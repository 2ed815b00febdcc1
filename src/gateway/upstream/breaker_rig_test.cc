// Circuits, budgets and deadlines with real sockets.
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

void quick(PoolOptions& pool) {
    pool.breaker = {.consecutive = 3, .open_for = 300ms, .slow_start = 1min};
    pool.balance.kind = BalanceKind::RoundRobin;
    pool.retry.max_attempts = 2;
}

TEST(BreakerInTheGateway, LeavesAFailingReplicaAloneAndTriesItWithOneRequest) {
    Rig rig(2, quick);
    rig.upstream(0).play({.act = Act::Status, .status = 503});
    for (int i = 0; i < 20; ++i) EXPECT_EQ(rig.ask().status, 200);
    const int before = rig.upstream(0).requests();
    EXPECT_GE(before, 3);
    EXPECT_LE(before, 6) << "it was hammered";
    const ReplicaStatus open = rig.status(0);
    EXPECT_NE(open.state, ReplicaState::Serving);
    EXPECT_THAT(rig.events(1)[0].reason, HasSubstr("3 requests in a row failed"));
    EXPECT_EQ(rig.events(1)[0].kind, ReplicaEvent::Kind::Opened);
    rig.upstream(0).play({});
    EXPECT_TRUE(eventually([&] {
        EXPECT_EQ(rig.ask().status, 200);
        return rig.status(0).state == ReplicaState::Serving;
    }));
    EXPECT_EQ(rig.events(2).back().kind, ReplicaEvent::Kind::Closed);
    EXPECT_LT(rig.status(0).weight, 0.5) << "it starts slowly";
}

TEST(BreakerInTheGateway, AnotherTrialThatFailsBacksOffForLonger) {
    Rig rig(2, quick);
    rig.upstream(0).play({.act = Act::Status, .status = 503});
    EXPECT_TRUE(eventually([&] {
        EXPECT_EQ(rig.ask().status, 200);
        return rig.events(0).size() >= 3;  // Opened, and two trials failed: 300, 600 and 1200 ms.
    }));
    EXPECT_LE(rig.upstream(0).requests(), 6);
    for (const ReplicaEvent& event : rig.events(3)) EXPECT_EQ(event.kind, ReplicaEvent::Kind::Opened);
    EXPECT_THAT(rig.events(3)[2].evidence.back(), HasSubstr("opened 3 times of late"));
}

TEST(BreakerInTheGateway, AloneItFailsFastAndSaysWhen) {
    Rig rig(1, [](PoolOptions& pool) {
        quick(pool);
        pool.breaker.open_for = 1min;
        pool.retry.max_attempts = 1;
    });
    rig.upstream(0).play({.act = Act::Reset});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(rig.ask().status, 502);
    const Reply refused = rig.ask();
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.code(), "no_replica_available");
    EXPECT_GE(std::stoi(refused.header("retry-after")), 55);
    EXPECT_EQ(rig.upstream(0).requests(), 3);
    EXPECT_GT(rig.status(0).trial_at, now());
}

TEST(BreakerInTheGateway, TheClientsOwnAffairsNeverCount) {
    Rig rig(1, quick);
    for (const int status : {400, 404, 413, 422, 429}) {
        rig.upstream(0).play({.act = Act::Status, .status = status});
        for (int i = 0; i < 4; ++i) EXPECT_EQ(rig.ask().status, status);
    }
    rig.upstream(0).play({.act = Act::Stall, .events = 1});
    for (int i = 0; i < 6; ++i) (void)rig.ask({.leave_after_pieces = 1});
    rig.upstream(0).play({.act = Act::Silent});
    for (int i = 0; i < 6; ++i) (void)rig.ask({.leave_after_pieces = 0});
    rig.upstream(0).play({});
    EXPECT_EQ(rig.ask().status, 200);
    EXPECT_EQ(rig.status(0).state, ReplicaState::Serving);
    EXPECT_EQ(rig.status(0).failures_total, 0);
}

// An engine that refuses at once has the least to do of all: it must not be the one that everything goes to.
TEST(BreakerInTheGateway, AReplicaThatSays429WithoutSayingUntilWhenIsAskedSeldom) {
    Rig rig(2, [](PoolOptions& pool) {
        quick(pool);
        pool.balance.kind = BalanceKind::LeastRequests;
        pool.retry.budget_share = 0;
        pool.retry.budget_per_second = 1;
    });
    rig.upstream(0).play({.act = Act::Status, .status = 429});
    int refused = 0;
    for (int i = 0; i < 60; ++i) refused += rig.ask().status == 429 ? 1 : 0;
    EXPECT_LE(refused, 3) << "the other one could have taken them";
    EXPECT_LE(rig.upstream(0).requests(), 4);
    rig.upstream(0).play({});
    const int before = rig.upstream(0).requests();
    EXPECT_TRUE(eventually([&] {
        EXPECT_EQ(rig.ask().status, 200);
        return rig.upstream(0).requests() >= before + 3;
    })) << "once it answers it has its share again";
}

TEST(BreakerInTheGateway, AloneAReplicaThatSays429IsAskedAllTheSame) {
    Rig rig(1, quick);
    rig.upstream(0).play({.act = Act::Status, .status = 429, .times = 3});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(rig.ask().status, 429);
    EXPECT_EQ(rig.ask().status, 200);
}

// A request that breaks whatever engine it meets must not take them all out.
TEST(BreakerInTheGateway, WhatTwoReplicasFailIsTheRequestsOwnDoing) {
    Rig rig(2, quick);
    for (std::size_t i = 0; i < 2; ++i) rig.upstream(i).play({.act = Act::Status, .status = 500});
    for (int i = 0; i < 10; ++i) EXPECT_EQ(rig.ask().status, 502);
    for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(rig.status(i).state, ReplicaState::Serving);
    rig.upstream(1).play({});
    for (int i = 0; i < 10; ++i) EXPECT_EQ(rig.ask().status, 200);
    EXPECT_EQ(rig.events(1)[0].replica, rig.status(0).id) << "now it is known whose fault it was";
    EXPECT_EQ(rig.status(1).state, ReplicaState::Serving);
}

TEST(Outliers, OneThatDoesMuchWorseIsTakenOutAndUsedIfNobodyElseIsLeft) {
    Rig rig(2, [](PoolOptions& pool) {
        quick(pool);
        pool.breaker = {.consecutive = 0, .failure_share = 0, .open_for = 1min};
        pool.outliers = {.interval = 1ms, .min_requests = 5};
    });
    rig.gateway().tick_outliers();
    rig.upstream(0).play({.act = Act::Status, .status = 503});
    for (int i = 0; i < 20; ++i) EXPECT_EQ(rig.ask().status, 200);
    rig.gateway().tick_outliers();
    EXPECT_EQ(rig.status(0).state, ReplicaState::Open);
    EXPECT_THAT(rig.status(0).reason, HasSubstr("it fails 100 % of its requests"));
    const int before = rig.upstream(0).requests();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(rig.ask().status, 200);
    EXPECT_EQ(rig.upstream(0).requests(), before);
    rig.upstream(0).play({});
    ASSERT_TRUE(rig.gateway().drain(rig.status(1).id, ""));
    EXPECT_EQ(rig.ask().status, 200) << "better than nobody";
}

TEST(RetryBudgetInTheGateway, BoundsTheRetriesOfAllRequestsTogether) {
    Rig rig(2, [](PoolOptions& pool) {
        quick(pool);
        pool.breaker.consecutive = 0;
        pool.breaker.failure_share = 0;
        pool.retry.budget_share = 0.1;
        pool.retry.budget_per_second = 0;
    });
    for (std::size_t i = 0; i < 2; ++i) rig.upstream(i).play({.act = Act::Status, .status = 503});
    Reply last;
    for (int i = 0; i < 55; ++i) last = rig.ask();
    EXPECT_EQ(last.status, 503);
    EXPECT_THAT(last.body, HasSubstr("budget for retries is spent"));
    const int sent = rig.upstream(0).requests() + rig.upstream(1).requests();
    EXPECT_GE(sent, 57);
    EXPECT_LE(sent, 60);
}

TEST(Deadlines, AModelsOwnGoBeforeItsPools) {
    Rig rig(1, [](PoolOptions& pool) {
        pool.models = {"tiny", "patient"};
        pool.retry.max_attempts = 1;
        pool.deadlines.first_byte = 1min;
    });
    rig.routes().models = {{.name = "tiny", .deadlines = {.first_byte = 200ms}}};
    ASSERT_TRUE(rig.apply());
    rig.upstream(0).play({.act = Act::Silent});
    EXPECT_EQ(rig.ask().status, 504);
    auto patient = rig.begin({.body = R"({"model":"patient","stream":true,"messages":[]})"});
    EXPECT_EQ(patient.wait_for(600ms), std::future_status::timeout);
    rig.routes().models = {};
    rig.upstream(0).stop();
    patient.get();
}

TEST(Deadlines, FirstTokenIsNotFirstByte) {
    Rig rig(1, [](PoolOptions& pool) {
        pool.retry.max_attempts = 1;
        pool.deadlines.first_byte = 300ms;
        pool.deadlines.first_token = 1min;
    });
    rig.upstream(0).play({.act = Act::Silent});
    EXPECT_EQ(rig.ask().status, 504) << "no head in time";
    // The head comes at once, the first event only when it is told to.
    std::atomic<bool> go{false};
    rig.upstream(0).play({.events = 0, .until = [&go] { return go.load(); }});
    auto slow = rig.begin({});
    EXPECT_EQ(slow.wait_for(900ms), std::future_status::timeout);
    go = true;
    EXPECT_EQ(slow.get().status, 200);
}

}  // namespace
}  // namespace stoker::gateway::test
