// Limits through a real gateway: what clients see, and that everything is given back whatever way a request ends.
#include <thread>

#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// The whole answers of the rig's upstream have 10 prompt and 3 completion tokens.
constexpr std::int64_t kUsed = 13;

Ask whole(int max_tokens) {
    return {.body = R"({"model":"tiny","messages":[{"role":"user","content":"hi"}],"max_tokens":)" +
                    std::to_string(max_tokens) + "}"};
}

LimitLine line_of(Rig& rig, LimitKind kind) {
    for (const LimitLine& line : rig.gateway().limits().lines) {
        if (line.kind == kind) return line;
    }
    return {};
}

TEST(LimitsRig, NoHeadersWithoutLimits) {
    Rig rig(1);
    EXPECT_EQ(rig.ask(whole(5)).header("x-ratelimit-limit-requests"), "");
}

TEST(LimitsRig, HeadersTellWhatIsLeft) {
    Rig rig(1);
    LimitsOptions limits;
    limits.global = {.requests_per_minute = 600, .tokens_per_minute = 6000};
    rig.gateway().set_limits(limits);
    const Reply reply = rig.ask(whole(100));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("x-ratelimit-limit-requests"), "600");
    EXPECT_EQ(reply.header("x-ratelimit-remaining-requests"), "599");
    EXPECT_THAT(reply.header("x-ratelimit-reset-requests"), HasSubstr("ms"));
    EXPECT_EQ(reply.header("x-ratelimit-limit-tokens"), "6000");
    // A whole answer's usage is known before its head is sent: what was reserved too much is back already.
    EXPECT_EQ(reply.header("x-ratelimit-remaining-tokens"), std::to_string(6000 - kUsed));
    // A stream's is not: the reservation counts.
    const Reply stream = rig.ask();
    EXPECT_EQ(stream.status, 200);
    EXPECT_LT(std::stoi(stream.header("x-ratelimit-remaining-tokens")), 6000 - 2 * kUsed);
    EXPECT_TRUE(eventually([&] { return line_of(rig, LimitKind::Tokens).reserved == 0; }));
}

TEST(LimitsRig, AnUpstreamsOwnRateHeadersDoNotShowThroughOurs) {
    Rig rig(1);
    LimitsOptions limits;
    limits.global = {.requests_per_minute = 600};
    rig.gateway().set_limits(limits);
    const Reply reply = rig.ask(whole(5));
    int seen = 0;
    for (const auto& [name, value] : reply.headers) seen += name.find("remaining-requests") != std::string::npos;
    EXPECT_EQ(seen, 1);
}

TEST(LimitsRig, WhoeverWaitsAsLongAsToldIsServed) {
    Rig rig(1);
    LimitsOptions limits;
    limits.burst = 1s;
    limits.global = {.requests_per_minute = 240};  // Four at once, then one every 250 ms.
    rig.gateway().set_limits(limits);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(rig.ask(whole(5)).status, 200);
    for (int round = 0; round < 3; ++round) {
        Reply refused = rig.ask(whole(5));
        while (refused.status == 200) refused = rig.ask(whole(5));
        ASSERT_EQ(refused.status, 429);
        EXPECT_EQ(refused.code(), "rate_limit_exceeded");
        EXPECT_TRUE(refused.has("global.requests_per_minute")) << refused.body;
        EXPECT_EQ(refused.header("x-ratelimit-remaining-requests"), "0");
        EXPECT_EQ(refused.header("retry-after"), "1");
        const Duration wait{std::stoi(refused.header("retry-after-ms"))};
        EXPECT_LE(wait, 250ms);
        std::this_thread::sleep_for(wait);
        EXPECT_EQ(rig.ask(whole(5)).status, 200) << wait.count();
    }
}

TEST(LimitsRig, AThousandConcurrentRequestsGetExactlyTheLimit) {
    Rig rig(2);
    LimitsOptions limits;
    limits.global = {.requests_per_minute = 137, .tokens_per_day = 1'000'000};
    limits.burst = 60s;
    rig.gateway().set_limits(limits);
    // Refilled meanwhile: 137 a minute is one in 438 ms; so many more may be admitted.
    const auto begun = std::chrono::steady_clock::now();
    int admitted = 0;
    for (const Reply& reply : rig.ask_all(1000, whole(1))) admitted += reply.status == 200;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    EXPECT_LE(admitted, 137 + static_cast<int>(seconds * 137 / 60) + 1);
    EXPECT_EQ(line_of(rig, LimitKind::DayTokens).used, admitted * kUsed);
    EXPECT_EQ(line_of(rig, LimitKind::DayTokens).reserved, 0);
}

TEST(LimitsRig, ConcurrencyIsHeldToTheEndOfAStream) {
    Rig rig(1);
    LimitsOptions limits;
    limits.models["tiny"] = {.concurrent_requests = 1};
    rig.gateway().set_limits(limits);
    std::atomic<bool> go{false};
    rig.upstream(0).play({.until = [&go] { return go.load(); }});
    auto first = rig.begin({});
    ASSERT_TRUE(eventually([&] { return rig.flowing() == 1; }));
    const Reply refused = rig.ask(whole(5));
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.code(), "concurrency_limit_exceeded");
    go = true;
    EXPECT_EQ(first.get().status, 200);
    EXPECT_EQ(rig.ask(whole(5)).status, 200);
}

// However a request ends, nothing stays reserved, and only what was used is kept.
TEST(LimitsRig, EveryEndGivesBackWhatWasNotUsed) {
    struct Case {
        const char* name;
        Script script;
        Ask ask;
        std::int64_t used;  // -1: some.
    };
    Ask leaves;
    leaves.leave_after_pieces = 1;
    Ask leaves_early = whole(5);
    leaves_early.leave_after_pieces = 0;
    const std::vector<Case> cases = {
        {"whole", {}, whole(50), kUsed},
        {"refused by the engine", {.act = Act::Status, .status = 400}, whole(50), 0},
        {"failed", {.act = Act::Status, .status = 503}, whole(50), 0},
        {"reset", {.act = Act::Reset}, whole(50), 0},
        {"cut stream", {.act = Act::Cut}, {}, -1},
        {"client left", {.act = Act::Stall}, leaves, -1},
        {"client left before the answer", {.act = Act::Silent}, leaves_early, 0},
    };
    for (const Case& one : cases) {
        Rig rig(1);
        LimitsOptions limits;
        limits.global = {.requests_per_minute = 100,
                         .tokens_per_minute = 100'000,
                         .concurrent_requests = 5,
                         .tokens_per_day = 1'000'000};
        rig.gateway().set_limits(limits);
        rig.upstream(0).play(one.script);
        (void)rig.ask(one.ask);
        EXPECT_EQ(rig.records(1).size(), 1u);
        const auto report = rig.gateway().limits();
        EXPECT_EQ(line_of(rig, LimitKind::Concurrent).used, 0) << one.name;
        const LimitLine day = line_of(rig, LimitKind::DayTokens);
        EXPECT_EQ(day.reserved, 0) << one.name;
        if (one.used < 0) {
            EXPECT_GT(day.used, 0) << one.name;
            EXPECT_LT(day.used, 100) << one.name;
        } else {
            EXPECT_EQ(day.used, one.used) << one.name;
        }
        EXPECT_EQ(line_of(rig, LimitKind::Requests).used, 1) << one.name;
    }
}

TEST(LimitsRig, ARequestThatReachedNoEngineCostsNothing) {
    Rig rig(1);
    LimitsOptions limits;
    limits.global = {.requests_per_minute = 100, .tokens_per_day = 1'000'000};
    rig.gateway().set_limits(limits);
    rig.upstream(0).stop();
    const Reply reply = rig.ask(whole(5));
    EXPECT_GE(reply.status, 502);
    EXPECT_EQ(reply.header("x-ratelimit-remaining-requests"), "100");
    EXPECT_EQ(line_of(rig, LimitKind::Requests).used, 0);
    EXPECT_EQ(line_of(rig, LimitKind::DayTokens).used, 0);
}

TEST(LimitsRig, TheLedgerAndTheMetricsShowRefusals) {
    Rig rig(1);
    LimitsOptions limits;
    limits.models["tiny"] = {.requests_per_minute = 1};
    rig.gateway().set_limits(limits);
    EXPECT_EQ(rig.ask(whole(5)).status, 200);
    Ask second = whole(5);
    second.headers.add("x-request-id", "the-one");
    EXPECT_EQ(rig.ask(second).status, 429);
    const auto report = rig.gateway().limits();
    ASSERT_EQ(report.refused.size(), 1u);
    EXPECT_EQ(report.refused[0].request_id, "the-one");
    EXPECT_EQ(report.refused[0].refusal.name, "tiny");
    const std::string metrics = rig.registry().text();
    EXPECT_THAT(metrics,
                HasSubstr(R"(stoker_gateway_limit_refusals_total{scope="model",limit="requests_per_minute"} 1)"));
    EXPECT_THAT(metrics, HasSubstr(R"(stoker_gateway_limit{scope="model",name="tiny",limit="requests_per_minute"} 1)"));
}

}  // namespace
}  // namespace stoker::gateway::test
