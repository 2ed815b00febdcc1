// Second attempts beside slow ones: who wins, what becomes of the other, and how often it may be done.
#include "gateway/upstream/hedge.h"

#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// The first replica is slow: it takes requests and answers nothing. Hedged soon, and without a bound.
struct Slow {
    explicit Slow(const std::function<void(PoolOptions&)>& adjust = {})
        : rig(2, [&adjust](PoolOptions& pool) {
              pool.balance.kind = BalanceKind::RoundRobin;
              pool.hedge = {.after = 150ms, .budget_share = 1, .budget_per_second = 10};
              if (adjust) adjust(pool);
          }) {
        rig.upstream(0).play({.act = Act::Silent});
    }
    // Asks so that the slow replica is the first to get it, and the other one does as `script` says.
    Reply meet(const Ask& ask = {}, const Script& script = {}) {
        rig.upstream(0).play({});
        for (bool turn = false; !turn; ++asked) turn = rig.ask().header("x-stoker-replica") == rig.status(1).id;
        rig.upstream(0).play({.act = Act::Silent});
        rig.upstream(1).play(script);
        const int before = rig.upstream(0).requests();
        Reply reply = rig.ask(ask);
        ++asked;
        EXPECT_EQ(rig.upstream(0).requests(), before + 1);
        return reply;
    }
    // Of the request that met it.
    records::RequestRecord hedged() {
        for (const auto& record : rig.records(static_cast<std::size_t>(asked))) {
            if (record.attempts.size() > 1) return record;
        }
        ADD_FAILURE() << "no request was hedged";
        return {};
    }

    Rig rig;
    int asked = 0;
};

class HedgeOf : public testing::TestWithParam<bool> {};

TEST_P(HedgeOf, ASlowReplicaIsAnsweredByAnother) {
    Slow slow;
    const Ask ask = GetParam() ? Ask{} : Ask{.body = kWhole};
    const Reply reply = slow.meet(ask);
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_TRUE(reply.clean);
    EXPECT_EQ(reply.header("x-stoker-replica"), slow.rig.status(1).id);
    EXPECT_EQ(reply.header("x-stoker-attempts"), "2");
    EXPECT_TRUE(eventually([&] { return slow.rig.upstream(0).left() == 1; }, 1s)) << "the slow one goes on";

    const auto record = slow.hedged();
    EXPECT_EQ(record.outcome, "ok");
    EXPECT_EQ(record.replica, slow.rig.status(1).id);
    EXPECT_EQ(record.completion_tokens, 3) << "the winner's";
    ASSERT_EQ(record.attempts.size(), 2u);
    EXPECT_EQ(record.attempts[0].error, "hedge_lost");
    EXPECT_EQ(record.attempts[0].kind, "");
    EXPECT_GT(record.attempts[0].duration_ns, 0);
    EXPECT_EQ(record.attempts[1].kind, "hedge");
    EXPECT_EQ(record.attempts[1].error, "");
    EXPECT_EQ(record.attempts[1].tokens, 3);

    const auto status = slow.rig.status(0);
    EXPECT_EQ(status.failures_total, 0) << "slow is not failed";
    EXPECT_EQ(status.failures_in_row, 0);
    EXPECT_TRUE(eventually([&] { return slow.rig.status(0).outstanding == 0; }));
    const std::string metrics = slow.rig.registry().text();
    EXPECT_THAT(metrics, HasSubstr(R"(stoker_gateway_hedges_total{pool="chat",result="won"} 1)"));
    EXPECT_THAT(metrics, HasSubstr(R"(stoker_gateway_wasted_tokens_total{pool="chat",type="prompt",reason="hedge"})"));
    EXPECT_THAT(metrics, HasSubstr("result=\"hedge_lost\"} 1"));
}

// Neither answers in time: both failed by themselves, and the request is tried again as ever.
TEST_P(HedgeOf, BothMayFail) {
    Slow slow([](PoolOptions& pool) {
        pool.deadlines.first_byte = pool.deadlines.whole = 600ms;
        pool.retry.max_attempts = 1;
    });
    slow.rig.upstream(1).play({.act = Act::Silent});
    EXPECT_EQ(slow.rig.ask(GetParam() ? Ask{} : Ask{.body = kWhole}).status, 504);
    const auto record = slow.rig.records(1)[0];
    ASSERT_EQ(record.attempts.size(), 2u);
    for (const auto& attempt : record.attempts) EXPECT_EQ(attempt.error, "head_timeout");
    EXPECT_EQ(slow.rig.status(0).failures_total + slow.rig.status(1).failures_total, 2);
    EXPECT_THAT(slow.rig.registry().text(), HasSubstr(R"(stoker_gateway_hedges_total{pool="chat",result="failed"} 1)"));
}

// One is silent for good, the other answers once both were asked; whichever was asked first.
TEST_P(HedgeOf, TheFirstMayStillWin) {
    Slow slow;
    Rig& rig = slow.rig;
    const Ask ask = GetParam() ? Ask{} : Ask{.body = kWhole};
    const std::size_t lates[] = {1, 0, 0, 1};
    for (const std::size_t late : lates) {
        const int turn = rig.upstream(late).requests() + 1;
        rig.upstream(1 - late).play({.act = Act::Silent});
        rig.upstream(late).play({.act = Act::Late, .until = [&rig, turn] {
                                     return rig.upstream(0).requests() >= turn && rig.upstream(1).requests() >= turn;
                                 }});
        const Reply reply = rig.ask(ask);
        EXPECT_EQ(reply.status, 200) << reply.body;
        EXPECT_EQ(reply.header("x-stoker-replica"), rig.status(late).id);
    }
    int lost = 0;
    for (const auto& record : rig.records(4)) {
        ASSERT_EQ(record.attempts.size(), 2u);
        EXPECT_EQ(record.completion_tokens, 3);
        EXPECT_EQ(record.usage_source, records::UsageSource::Engine);
        const bool second_lost = record.attempts[1].error == "hedge_lost";
        EXPECT_NE(second_lost, record.attempts[0].error == "hedge_lost");
        EXPECT_EQ(record.attempts[second_lost ? 0 : 1].tokens, 3);
        lost += second_lost ? 1 : 0;
    }
    EXPECT_EQ(lost, 2);
    const std::string metrics = rig.registry().text();
    EXPECT_THAT(metrics, HasSubstr(R"(stoker_gateway_hedges_total{pool="chat",result="lost"} 2)"));
    EXPECT_THAT(metrics, HasSubstr(R"(stoker_gateway_hedges_total{pool="chat",result="won"} 2)"));
    EXPECT_THAT(metrics, testing::Not(HasSubstr(R"(source="estimate")"))) << "the loser is on nobody's bill";
}

INSTANTIATE_TEST_SUITE_P(StreamAndWhole, HedgeOf, testing::Bool());

TEST(Hedge, IsOffByDefault) {
    EXPECT_FALSE(HedgeOptions{}.on());
}

TEST(Hedge, AReplicaThatIsFastEnoughIsAlone) {
    Slow slow([](PoolOptions& pool) { pool.hedge.after = 5s; });
    slow.rig.upstream(0).play({});
    for (int i = 0; i < 4; ++i) EXPECT_EQ(slow.rig.ask().header("x-stoker-attempts"), "1");
    EXPECT_EQ(slow.rig.upstream(0).requests() + slow.rig.upstream(1).requests(), 4);
}

TEST(Hedge, TheBudgetBoundsIt) {
    Slow slow([](PoolOptions& pool) {
        pool.hedge = {.after = 50ms, .budget_share = 0, .budget_per_second = 0.2};  // Two in ten seconds.
        pool.deadlines.first_byte = 600ms;
        pool.retry.max_attempts = 1;
    });
    slow.rig.upstream(1).play({.act = Act::Silent});
    for (const Reply& reply : slow.rig.ask_all(6)) EXPECT_EQ(reply.status, 504);
    int hedges = 0;
    for (const auto& record : slow.rig.records(6)) {
        for (const auto& attempt : record.attempts) hedges += attempt.kind == "hedge" ? 1 : 0;
    }
    EXPECT_EQ(hedges, 2);
    EXPECT_THAT(slow.rig.registry().text(),
                HasSubstr(R"(stoker_gateway_hedges_total{pool="chat",result="no_budget"} 4)"));
}

TEST(Hedge, AReplicaThatIsOutGetsNone) {
    Slow slow([](PoolOptions& pool) { pool.deadlines.first_byte = 300ms; });
    ASSERT_TRUE(slow.rig.gateway().eject(slow.rig.status(1).id, "test"));
    EXPECT_EQ(slow.rig.ask().status, 504);
    EXPECT_EQ(slow.rig.upstream(1).requests(), 0);
}

TEST(Hedge, AClientThatLeavesEndsBoth) {
    Slow slow;
    slow.rig.upstream(1).play({.act = Act::Silent});
    slow.rig.ask({.leave_after_pieces = 0});  // After 300 ms.
    EXPECT_TRUE(eventually([&] { return slow.rig.upstream(0).left() == 1 && slow.rig.upstream(1).left() == 1; }, 1s));
    const auto record = slow.rig.records(1)[0];
    EXPECT_EQ(record.outcome, "cancelled");
    EXPECT_EQ(record.attempts.size(), 2u);
    EXPECT_EQ(slow.rig.status(0).failures_total + slow.rig.status(1).failures_total, 0);
}

// ~Rig stops the server while both are under way; that it ends is the test, and that sanitizers are content.
TEST(Hedge, StoppingEndsBoth) {
    std::future<Reply> asked;
    {
        Slow slow;
        slow.rig.upstream(1).play({.act = Act::Silent});
        asked = slow.rig.begin({});
        EXPECT_TRUE(eventually([&] { return slow.rig.upstream(0).requests() + slow.rig.upstream(1).requests() == 2; }));
    }
}

// The model's own refusal is an answer, whoever gives it first.
TEST(Hedge, ARefusalIsAnAnswer) {
    Slow slow;
    const Reply reply =
        slow.meet({}, {.act = Act::Status, .status = 400, .body = R"({"error":{"message":"too long","code":400}})"});
    EXPECT_EQ(reply.status, 400);
    EXPECT_TRUE(eventually([&] { return slow.rig.upstream(0).left() == 1; }, 1s));
}

// The second one fails: the first is still waited for, and the request tried again as ever.
TEST(Hedge, AFailedSecondAttemptHarmsNobody) {
    Slow slow([](PoolOptions& pool) { pool.deadlines.first_byte = 600ms; });
    const Reply reply = slow.meet({}, {.act = Act::Status, .status = 503, .times = 1});
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.header("x-stoker-replica"), slow.rig.status(1).id);
    const auto record = slow.hedged();
    ASSERT_EQ(record.attempts.size(), 3u);
    EXPECT_EQ(record.attempts[1].kind, "hedge");
    EXPECT_EQ(record.attempts[1].error, "http_503");
    EXPECT_EQ(record.attempts[2].kind, "retry");
}

TEST(FirstTokenTimes, SpeakOfTheMinuteThatIsWhole) {
    FirstTokenTimes times;
    const SteadyTime start{std::chrono::hours{5}};
    EXPECT_FALSE(times.percentile(0.95, start));
    for (int i = 1; i <= 100; ++i) times.add(Duration{i * 10}, start);
    const auto p95 = times.percentile(0.95, start + 1s);
    ASSERT_TRUE(p95);
    EXPECT_NEAR(static_cast<double>(p95->count()), 950, 60);
    for (int i = 0; i < 100; ++i) times.add(10s, start + 61s);
    EXPECT_NEAR(static_cast<double>(times.percentile(0.95, start + 62s)->count()), 950, 60) << "the one before";
    EXPECT_NEAR(static_cast<double>(times.percentile(0.95, start + 121s)->count()), 10'000, 600);
    EXPECT_FALSE(times.percentile(0.95, start + std::chrono::minutes{10})) << "nobody came for long";
}

}  // namespace
}  // namespace stoker::gateway::test
