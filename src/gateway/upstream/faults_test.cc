// Replicas that fail, streaming and not, alone and with another to turn to.
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

void impatient(PoolOptions& pool) {
    pool.deadlines = {.connect = 500ms, .first_byte = 700ms, .between = 700ms, .total = 10s};
}

// Faults before the client's first byte: with another replica the client never notices.
class FaultBeforeTheFirstByte : public testing::TestWithParam<std::tuple<Script, bool>> {};

TEST_P(FaultBeforeTheFirstByte, IsMadeGoodByAnotherReplica) {
    const auto& [script, stream] = GetParam();
    Rig rig(2, impatient);
    rig.upstream(0).play(script);
    for (int i = 0; i < 4; ++i) {
        const Reply reply = rig.ask(stream ? Ask{} : Ask{.body = kWhole});
        EXPECT_EQ(reply.status, 200) << reply.body;
        EXPECT_TRUE(reply.clean);
        EXPECT_EQ(reply.header("x-stoker-replica"), rig.status(1).id);
    }
    EXPECT_GT(rig.upstream(0).requests(), 0) << "the fault was never met";
    for (const auto& record : rig.records(4)) {
        EXPECT_EQ(record.outcome, "ok");
        EXPECT_EQ(record.completion_tokens, 3) << "failed attempts must not be counted";
        if (record.attempts.size() == 2) {
            EXPECT_NE(record.attempts[0].error, "");
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Streaming, FaultBeforeTheFirstByte,
    testing::Combine(testing::Values(Script{.act = Act::Status, .status = 429, .retry_after = "7"},
                                     Script{.act = Act::Status, .status = 429},
                                     Script{.act = Act::Status, .status = 500},
                                     Script{.act = Act::Status, .status = 502},
                                     Script{.act = Act::Status, .status = 503},
                                     Script{.act = Act::Status, .status = 504}, Script{.act = Act::Reset},
                                     Script{.act = Act::Cut, .events = 0}, Script{.act = Act::Malformed, .events = 0},
                                     Script{.act = Act::NoEnd, .events = 0},
                                     Script{.act = Act::ErrorEvent, .events = 0, .status = 500},
                                     Script{.act = Act::Silent}, Script{.act = Act::Stall, .events = 0}),
                     testing::Values(true)));
INSTANTIATE_TEST_SUITE_P(Whole, FaultBeforeTheFirstByte,
                         testing::Combine(testing::Values(Script{.act = Act::Status, .status = 429},
                                                          Script{.act = Act::Status, .status = 500},
                                                          Script{.act = Act::Status, .status = 503},
                                                          Script{.act = Act::Reset}, Script{.act = Act::Cut},
                                                          Script{.act = Act::Malformed}),
                                          testing::Values(false)));

struct Alone {
    Script script;
    int status;
    std::string code;
    int attempts;
};

TEST(Faults, WithoutAnotherReplicaTheClientGetsAClearError) {
    const Alone cases[] = {
        {{.act = Act::Status, .status = 429, .retry_after = "7"}, 429, "upstream_rate_limited", 1},
        {{.act = Act::Status, .status = 429}, 429, "upstream_rate_limited", 1},
        {{.act = Act::Status, .status = 500}, 502, "upstream_error", 2},
        {{.act = Act::Status, .status = 503}, 503, "upstream_overloaded", 3},
        {{.act = Act::Status, .status = 503, .retry_after = "30"}, 503, "upstream_overloaded", 1},
        {{.act = Act::Reset}, 502, "upstream_unreachable", 3},
        {{.act = Act::Cut, .events = 0}, 502, "upstream_error", 3},
        {{.act = Act::Silent}, 504, "upstream_timeout", 3},
    };
    for (const Alone& fault : cases) {
        Rig rig(1, impatient);
        rig.upstream(0).play(fault.script);
        const Reply reply = rig.ask();
        EXPECT_EQ(reply.status, fault.status) << reply.body;
        EXPECT_EQ(reply.code(), fault.code) << reply.body;
        EXPECT_EQ(rig.upstream(0).requests(), fault.attempts) << fault.code;
        EXPECT_EQ(reply.header("retry-after"), fault.script.retry_after.empty() ? "2" : fault.script.retry_after);
        EXPECT_EQ(reply.header("content-type"), "application/json");
    }
}

// It said when to come again: until then its clients hear the same from here, and it hears nothing.
TEST(Faults, AReplicaThatRestsIsNotAskedThoughItIsAlone) {
    const std::pair<int, std::string> cases[] = {{429, "upstream_rate_limited"}, {503, "upstream_overloaded"}};
    for (const auto& [status, code] : cases) {
        Rig rig(1, impatient);
        rig.upstream(0).play({.act = Act::Status, .status = status, .retry_after = "7"});
        EXPECT_EQ(rig.ask().code(), code);
        rig.upstream(0).play({});
        for (const Reply& reply : rig.ask_all(5)) {
            EXPECT_EQ(reply.status, status);
            EXPECT_EQ(reply.code(), code) << reply.body;
            const int left = std::stoi(reply.header("retry-after"));
            EXPECT_TRUE(left >= 1 && left <= 7) << left;
            EXPECT_EQ(reply.header("x-stoker-attempts"), "0");
        }
        EXPECT_EQ(rig.upstream(0).requests(), 1);
    }
}

TEST(Faults, ARestIsOverWhenItIsOver) {
    Rig rig(1, [](PoolOptions& pool) { pool.retry.retry_after_max = 200ms; });
    rig.upstream(0).play({.act = Act::Status, .status = 429, .retry_after = "7", .times = 1});
    EXPECT_EQ(rig.ask().status, 429);
    EXPECT_TRUE(eventually([&] { return rig.ask().status == 200; }));
}

TEST(Faults, WhereAllRestAnotherModelTakesOver) {
    Rig rig(1, impatient);
    rig.add_pool("spare", "other");
    rig.routes().models = {{.name = "tiny", .fallback = {{.to = "other", .on = {FallbackCause::Overloaded}}}}};
    ASSERT_TRUE(rig.apply());
    rig.upstream(0).play({.act = Act::Status, .status = 429, .retry_after = "7"});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(rig.ask().header("x-stoker-model"), "other");
    EXPECT_EQ(rig.upstream(0).requests(), 1);
}

TEST(Faults, A500OnceIsMadeGoodByTheSameReplica) {
    Rig rig(1);
    rig.upstream(0).play({.act = Act::Status, .status = 500, .times = 1});
    const Reply reply = rig.ask();
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("x-stoker-attempts"), "2");
}

TEST(Faults, TheClientsOwnErrorsAreNeverRetriedAndNeverBlamed) {
    Rig rig(2);
    for (std::size_t i : {0u, 1u}) {
        rig.upstream(i).play(
            {.act = Act::Status, .status = 400, .body = R"({"error":{"message":"too long","code":400}})"});
    }
    const Reply reply = rig.ask();
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.body, R"({"error":{"message":"too long","code":400}})");
    EXPECT_EQ(rig.upstream(0).requests() + rig.upstream(1).requests(), 1);
    EXPECT_EQ(rig.records(1)[0].outcome, "client_error");
    EXPECT_EQ(rig.status(0).failures_total + rig.status(1).failures_total, 0);
}

TEST(Faults, AnEnginesHtmlNeverReachesTheClient) {
    Rig rig(1);
    rig.upstream(0).play({.act = Act::Status, .status = 404, .body = "<html>no</html>", .content_type = "text/html"});
    const Reply reply = rig.ask();
    EXPECT_EQ(reply.status, 404);
    EXPECT_EQ(reply.code(), "upstream_rejected");
}

TEST(Faults, ARefusalByEventBecomesAStatus) {
    Rig rig(2);
    for (std::size_t i : {0u, 1u}) rig.upstream(i).play({.act = Act::ErrorEvent, .events = 0, .status = 400});
    const Reply reply = rig.ask();
    EXPECT_EQ(reply.status, 400);
    EXPECT_TRUE(reply.has("engine says no"));
    EXPECT_EQ(rig.upstream(0).requests() + rig.upstream(1).requests(), 1);
}

struct Broken {
    Act act;
    std::string code;
    std::string attempt_error;
};

TEST(Faults, AfterTheFirstByteTheStreamEndsWithAnErrorAndNotCleanly) {
    const Broken cases[] = {
        {Act::Cut, "upstream_stream_cut", "upstream_stream_cut"},
        {Act::Stall, "upstream_stream_stalled", "upstream_stream_stalled"},
        {Act::Malformed, "upstream_stream_malformed", "upstream_stream_malformed"},
        {Act::NoEnd, "upstream_stream_cut", "upstream_stream_cut"},
    };
    for (const Broken& fault : cases) {
        Rig rig(2, impatient);
        for (std::size_t i : {0u, 1u})
            rig.upstream(i).play({.act = fault.act, .events = 40, .until = [&] { return rig.flowing() == 1; }});
        const Reply reply = rig.ask();
        EXPECT_EQ(reply.status, 200);
        EXPECT_TRUE(reply.has("\"t0\"") && reply.has("\"t39\"")) << fault.code;
        EXPECT_EQ(reply.code(), fault.code);
        EXPECT_FALSE(reply.has("[DONE]"));
        EXPECT_FALSE(reply.clean) << "a truncated answer must not look whole";
        const auto record = rig.records(1)[0];
        EXPECT_EQ(record.outcome, "truncated");
        EXPECT_EQ(record.error, fault.code);
        EXPECT_EQ(record.events, 40);
        EXPECT_EQ(record.completion_tokens, 40);
        EXPECT_EQ(record.usage_source, records::UsageSource::Estimated);
        EXPECT_EQ(record.attempts.size(), 1u);
        EXPECT_EQ(record.attempts[0].error, fault.attempt_error);
    }
}

TEST(Faults, AnEnginesOwnErrorEventIsPassedOnAndNotHidden) {
    Rig rig(1);
    rig.upstream(0).play(
        {.act = Act::ErrorEvent, .events = 40, .status = 500, .until = [&] { return rig.flowing() == 1; }});
    const Reply reply = rig.ask();
    EXPECT_THAT(reply.body, HasSubstr("engine says no"));
    EXPECT_FALSE(reply.has("[DONE]"));
    EXPECT_FALSE(reply.clean);
    EXPECT_EQ(rig.records(1)[0].error, "upstream_stream_error");
}

TEST(Faults, AMissingDoneAfterAWholeAnswerIsSupplied) {
    Rig rig(1);
    rig.upstream(0).play({.act = Act::NoDone});
    const Reply reply = rig.ask();
    EXPECT_TRUE(reply.clean);
    EXPECT_TRUE(reply.has("[DONE]"));
    EXPECT_EQ(rig.records(1)[0].outcome, "ok");
}

TEST(Faults, AClientThatLeavesCancelsTheReplicaAtOnce) {
    Rig rig(1);
    rig.upstream(0).play({.act = Act::Stall, .events = 4});
    rig.ask({.leave_after_pieces = 1});
    EXPECT_TRUE(eventually([&] { return rig.upstream(0).left() == 1; }, 1s));
    const auto record = rig.records(1)[0];
    EXPECT_EQ(record.outcome, "cancelled");
    EXPECT_EQ(record.status, 499);
    EXPECT_EQ(record.error, "client_closed");
    EXPECT_EQ(record.usage_source, records::UsageSource::Estimated);
    EXPECT_EQ(record.attempts.size(), 1u);
    EXPECT_EQ(rig.status(0).failures_total, 0);
    EXPECT_EQ(rig.status(0).outstanding, 0);
}

TEST(Faults, AClientThatLeavesBeforeTheHeadCancelsToo) {
    Rig rig(2);
    for (std::size_t i : {0u, 1u}) rig.upstream(i).play({.act = Act::Silent});
    rig.ask({.leave_after_pieces = 0});
    EXPECT_TRUE(eventually([&] { return rig.upstream(0).left() + rig.upstream(1).left() == 1; }, 1s));
    EXPECT_EQ(rig.records(1)[0].status, 499);
    EXPECT_EQ(rig.upstream(0).requests() + rig.upstream(1).requests(), 1) << "nobody waits for a retry";
}

TEST(Faults, TheWholeRequestHasADeadline) {
    Rig rig(1, [](PoolOptions& pool) {
        pool.deadlines = {.connect = 500ms, .first_byte = 10s, .between = 10s, .total = 400ms};
    });
    rig.upstream(0).play({.act = Act::Silent});
    EXPECT_EQ(rig.ask({.body = kWhole}).code(), "upstream_timeout");
    rig.upstream(0).play({.act = Act::Stall, .events = 2});
    EXPECT_EQ(rig.ask().code(), "upstream_timeout");
    EXPECT_EQ(rig.records(2)[1].outcome, "truncated");
}

TEST(Faults, ConnectionsRefusedTwiceTakeTheReplicaOutAndOthersServe) {
    Rig rig(2);
    rig.upstream(0).stop();
    for (const Reply& reply : rig.ask_all(20)) EXPECT_EQ(reply.status, 200) << reply.body;
    const auto events = rig.events(1);
    EXPECT_EQ(events[0].kind, ReplicaEvent::Kind::Down);
    EXPECT_THAT(events[0].evidence[0], HasSubstr("connections refused"));
    EXPECT_EQ(events[0].status.state, ReplicaState::Down);
    EXPECT_EQ(rig.status(0).state, ReplicaState::Down);
}

TEST(Faults, WithEveryReplicaGoneThereIsA503AndNoHang) {
    Rig rig(1);
    rig.upstream(0).stop();
    const Reply first = rig.ask();
    EXPECT_EQ(first.code(), "upstream_unreachable");
    const Reply second = rig.ask();
    EXPECT_EQ(second.status, 503);
    EXPECT_EQ(second.code(), "no_replica_available");
    EXPECT_EQ(second.header("retry-after"), "2");
}

}  // namespace
}  // namespace stoker::gateway::test
