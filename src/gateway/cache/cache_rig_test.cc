// The cache and shared answers through a real gateway.
#include <set>

#include "gateway/cache/answer_cache.h"
#include "gateway/cache/cache_options.h"
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using testing::HasSubstr;

CacheOptions exact_only() {
    CacheOptions options;
    options.rules = {{.coalesce = false}};
    return options;
}

CacheOptions coalesce_only() {
    CacheOptions options;
    options.rules = {{.exact = false}};
    return options;
}

const std::string kBody = R"({"model":"tiny","temperature":0,"messages":[{"role":"user","content":"hi"}]})";
const std::string kStream =
    R"({"model":"tiny","temperature":0,"stream":true,"messages":[{"role":"user","content":"hi"}]})";

Ask ask_for(std::string body, net::Headers headers = {}) {
    Ask ask;
    ask.body = std::move(body);
    ask.headers = std::move(headers);
    return ask;
}

TEST(CacheRig, IsOffUnlessARuleSaysSo) {
    Rig rig(1);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(rig.ask(ask_for(kBody)).header("x-stoker-cache"), "");
    EXPECT_EQ(rig.upstream(0).requests(), 2);
    CacheOptions options;
    options.rules = {{.models = {"other-*"}}};
    rig.gateway().set_cache(options);
    EXPECT_EQ(rig.ask(ask_for(kBody)).header("x-stoker-cache"), "");
}

TEST(CacheRig, AnIdenticalRequestGetsTheSameBytes) {
    for (const std::string& body : {kBody, kStream}) {
        Rig rig(1);
        rig.gateway().set_cache(exact_only());
        const Reply first = rig.ask(ask_for(body));
        EXPECT_EQ(first.status, 200);
        EXPECT_EQ(first.header("x-stoker-cache"), "miss");
        const Reply again = rig.ask(ask_for(body));
        EXPECT_EQ(again.header("x-stoker-cache"), "hit");
        EXPECT_EQ(again.header("age"), "0");
        EXPECT_EQ(again.header("x-stoker-model"), "tiny");
        EXPECT_EQ(again.header("x-stoker-replica"), "");
        EXPECT_EQ(again.header("content-type"), first.header("content-type"));
        EXPECT_NE(again.header("x-request-id"), first.header("x-request-id"));
        EXPECT_EQ(again.body, first.body);
        EXPECT_TRUE(again.clean);
        EXPECT_EQ(rig.upstream(0).requests(), 1);
        const auto records = rig.records(2);
        EXPECT_EQ(records[0].cache, "miss");
        EXPECT_EQ(records[0].completion_tokens, 3);
        EXPECT_EQ(records[1].cache, "hit");
        EXPECT_EQ(records[1].pool, "chat");
        EXPECT_EQ(records[1].outcome, "ok");
        EXPECT_EQ(records[1].finish_reason, "stop");
        EXPECT_EQ(records[1].prompt_tokens + records[1].completion_tokens, 0);
        EXPECT_TRUE(records[1].attempts.empty());
        EXPECT_THAT(rig.registry().text(),
                    HasSubstr(R"(stoker_cache_saved_tokens_total{model="tiny",type="completion"} 3)"));
    }
}

TEST(CacheRig, StreamsAndWholeAnswersAreKeptApart) {
    Rig rig(1);
    rig.gateway().set_cache(exact_only());
    EXPECT_EQ(rig.ask(ask_for(kBody)).header("x-stoker-cache"), "miss");
    const Reply stream = rig.ask(ask_for(kStream));
    EXPECT_EQ(stream.header("x-stoker-cache"), "miss");
    EXPECT_THAT(stream.body, HasSubstr("[DONE]"));
}

TEST(CacheRig, SamplesPassByUnlessTheRuleSaysAlways) {
    Rig rig(1);
    rig.gateway().set_cache(exact_only());
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(rig.ask(ask_for(kWhole)).header("x-stoker-cache"), "bypass; reason=not_deterministic");
    }
    EXPECT_EQ(rig.upstream(0).requests(), 2);
    CacheOptions options = exact_only();
    options.rules[0].always = true;
    rig.gateway().set_cache(options);
    EXPECT_EQ(rig.ask(ask_for(kWhole)).header("x-stoker-cache"), "miss");
    EXPECT_EQ(rig.ask(ask_for(kWhole)).header("x-stoker-cache"), "hit");
}

TEST(CacheRig, TheClientsCacheControlIsObeyed) {
    Rig rig(1);
    rig.gateway().set_cache(exact_only());
    EXPECT_EQ(rig.ask(ask_for(kBody, {{"cache-control", "no-store"}})).header("x-stoker-cache"),
              "bypass; reason=no-store");
    EXPECT_EQ(rig.ask(ask_for(kBody)).header("x-stoker-cache"), "miss");
    EXPECT_EQ(rig.ask(ask_for(kBody, {{"cache-control", "no-cache"}})).header("x-stoker-cache"), "miss");
    EXPECT_EQ(rig.ask(ask_for(kBody, {{"cache-control", "max-age=60"}})).header("x-stoker-cache"), "hit");
    EXPECT_EQ(rig.upstream(0).requests(), 3);
}

TEST(CacheRig, OnlyWholeGoodAnswersAreKept) {
    const Act acts[] = {Act::Status, Act::Cut, Act::ErrorEvent, Act::NoEnd, Act::Malformed};
    for (const Act act : acts) {
        Rig rig(1, [](PoolOptions& pool) {
            pool.retry.max_attempts = 1;
            pool.continuation.max = 0;
        });
        rig.gateway().set_cache(exact_only());
        rig.upstream(0).play({.act = act, .times = 1});
        EXPECT_EQ(rig.ask(ask_for(kStream)).header("x-stoker-cache"), "miss");
        EXPECT_EQ(rig.ask(ask_for(kStream)).header("x-stoker-cache"), "miss") << static_cast<int>(act);
        EXPECT_EQ(rig.ask(ask_for(kStream)).header("x-stoker-cache"), "hit") << static_cast<int>(act);
    }
}

TEST(CacheRig, WhatIsTooLongIsNotKept) {
    Rig rig(1);
    CacheOptions options = exact_only();
    options.max_answer_bytes = 50;
    rig.gateway().set_cache(options);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(rig.ask(ask_for(kBody)).header("x-stoker-cache"), "miss");
}

TEST(CacheRig, APurgeForgets) {
    Rig rig(1);
    rig.gateway().set_cache(exact_only());
    rig.ask(ask_for(kBody));
    EXPECT_EQ(rig.gateway().cache_report({}, 10).entries, 1u);
    EXPECT_EQ(rig.gateway().purge_cache({.model = "other"}), 0u);
    EXPECT_EQ(rig.gateway().purge_cache({.model = "tiny"}), 1u);
    EXPECT_EQ(rig.ask(ask_for(kBody)).header("x-stoker-cache"), "miss");
}

TEST(CacheRig, AHitTakesARequestButNoTokens) {
    Rig rig(1);
    rig.gateway().set_cache(exact_only());
    LimitsOptions limits;
    limits.global = {.requests_per_minute = 600, .tokens_per_minute = 6000};
    rig.gateway().set_limits(limits);
    rig.ask(ask_for(kBody));
    const Reply hit = rig.ask(ask_for(kBody));
    EXPECT_EQ(hit.header("x-stoker-cache"), "hit");
    EXPECT_EQ(hit.header("x-ratelimit-remaining-requests"), "598");
    const auto all_back = [&rig] {
        for (const LimitLine& line : rig.gateway().limits().lines) {
            if (line.kind == LimitKind::Tokens) return line.reserved == 0 && line.used <= 13;
        }
        return false;
    };
    EXPECT_TRUE(eventually(all_back));
}

// Holds the upstream's answers back until told.
struct Gate {
    std::shared_ptr<std::atomic<bool>> open = std::make_shared<std::atomic<bool>>(false);
    Script script(Act act = Act::Answer, int events = 3) const {
        Script made{.act = act, .events = events};
        made.until = [open = open] { return open->load(); };
        return made;
    }
};

std::size_t followers(const std::vector<records::RequestRecord>& records) {
    std::size_t count = 0;
    for (const auto& record : records) count += record.cache == "coalesced" ? 1 : 0;
    return count;
}

double under_way(Rig& rig) {
    double sum = 0;
    rig.registry().each_sample([&sum](const metrics::Exposed& sample) {
        if (sample.name == "llm_active_requests") sum += sample.value;
    });
    return sum;
}

TEST(CoalesceRig, IdenticalRequestsUnderWayAreOne) {
    constexpr int kClients = 100;
    Rig rig(1);
    rig.gateway().set_cache(coalesce_only());
    const Gate gate;
    rig.upstream(0).play(gate.script());
    std::vector<std::future<Reply>> asked;
    for (int i = 0; i < kClients; ++i) asked.push_back(rig.begin(ask_for(kStream)));
    EXPECT_TRUE(eventually([&] { return under_way(rig) == kClients; }));
    *gate.open = true;
    std::set<std::string> bodies;
    for (auto& one : asked) {
        const Reply reply = one.get();
        EXPECT_EQ(reply.status, 200);
        EXPECT_TRUE(reply.clean);
        bodies.insert(reply.body);
    }
    EXPECT_EQ(bodies.size(), 1u);
    EXPECT_THAT(*bodies.begin(), HasSubstr("[DONE]"));
    EXPECT_EQ(rig.upstream(0).requests(), 1);
    const auto records = rig.records(kClients);
    EXPECT_EQ(followers(records), kClients - 1u);
    std::int64_t tokens = 0;
    for (const auto& record : records) {
        EXPECT_EQ(record.outcome, "ok");
        EXPECT_EQ(record.finish_reason, "stop");
        tokens += record.completion_tokens;
    }
    EXPECT_EQ(tokens, 3);
    EXPECT_EQ(under_way(rig), 0);
}

TEST(CoalesceRig, ALateFollowerGetsAllEventsFromTheFirst) {
    Rig rig(1);
    rig.gateway().set_cache(coalesce_only());
    const Gate gate;
    rig.upstream(0).play(gate.script());
    auto leader = rig.begin(ask_for(kStream));
    EXPECT_TRUE(eventually([&] { return rig.flowing() == 1; }));
    auto follower = rig.begin(ask_for(kStream));
    EXPECT_TRUE(eventually([&] { return rig.flowing() == 2; }));
    *gate.open = true;
    const Reply first = leader.get();
    EXPECT_EQ(first.body, follower.get().body);
    EXPECT_THAT(first.body, HasSubstr("t0"));
}

TEST(CoalesceRig, TheLeadersClientMayLeave) {
    Rig rig(1);
    rig.gateway().set_cache(coalesce_only());
    const Gate gate;
    rig.upstream(0).play(gate.script());
    Ask leaving = ask_for(kStream);
    leaving.leave_after_pieces = 1;
    auto leader = rig.begin(leaving);
    // Whoever comes while the leader is there follows; it leaves once its first piece has come.
    auto follower = rig.begin(ask_for(kStream));
    leader.get();
    EXPECT_TRUE(eventually([&] { return rig.flowing() == 2; }));
    *gate.open = true;
    const Reply reply = follower.get();
    EXPECT_TRUE(reply.clean);
    EXPECT_THAT(reply.body, HasSubstr("[DONE]"));
}

TEST(CoalesceRig, WhenAllHaveLeftTheUpstreamIsCancelled) {
    Rig rig(1);
    rig.gateway().set_cache(coalesce_only());
    rig.upstream(0).play({.act = Act::Stall, .events = 2});
    Ask leaving = ask_for(kStream);
    leaving.leave_after_pieces = 1;
    auto a = rig.begin(leaving);
    auto b = rig.begin(leaving);
    a.get();
    b.get();
    EXPECT_TRUE(eventually([&] { return rig.upstream(0).left() == rig.upstream(0).requests(); }));
    for (const auto& record : rig.records(2)) EXPECT_EQ(record.outcome, "cancelled");
}

TEST(CoalesceRig, AfterAFailureOneOfTheOthersLeads) {
    constexpr int kClients = 20;
    Rig rig(1, [](PoolOptions& pool) { pool.retry.max_attempts = 1; });
    rig.gateway().set_cache(coalesce_only());
    std::atomic<bool> open{false};
    rig.upstream(0).play({.act = Act::Silent, .times = 1});
    rig.pool().deadlines.whole = Duration{400};
    ASSERT_TRUE(rig.apply());
    std::vector<std::future<Reply>> asked;
    for (int i = 0; i < kClients; ++i) asked.push_back(rig.begin(ask_for(kBody)));
    int good = 0;
    int failed = 0;
    for (auto& one : asked) {
        const Reply reply = one.get();
        good += reply.status == 200 ? 1 : 0;
        failed += reply.status == 504 ? 1 : 0;
    }
    EXPECT_EQ(failed, 1);
    EXPECT_EQ(good, kClients - 1);
    EXPECT_LE(rig.upstream(0).requests(), 3);  // Those that came after the second answer had been given lead again.
}

TEST(CoalesceRig, WhatFailsForAllIsNotTriedForAll) {
    constexpr int kClients = 30;
    Rig rig(1, [](PoolOptions& pool) {
        pool.retry.max_attempts = 1;
        pool.deadlines.whole = Duration{300};
    });
    rig.gateway().set_cache(coalesce_only());
    rig.upstream(0).play({.act = Act::Silent});
    std::vector<std::future<Reply>> asked;
    for (int i = 0; i < kClients; ++i) asked.push_back(rig.begin(ask_for(kBody)));
    for (auto& one : asked) EXPECT_EQ(one.get().status, 504);
    EXPECT_LE(rig.upstream(0).requests(), 5);
    for (const auto& record : rig.records(kClients)) EXPECT_EQ(record.error, "upstream_timeout") << record.cache;
    EXPECT_EQ(under_way(rig), 0);
}

TEST(CoalesceRig, ABrokenStreamBreaksForAll) {
    Rig rig(1, [](PoolOptions& pool) {
        pool.retry.max_attempts = 1;
        pool.continuation.max = 0;
    });
    rig.gateway().set_cache(coalesce_only());
    const Gate gate;
    rig.upstream(0).play(gate.script(Act::Cut));
    std::vector<std::future<Reply>> asked;
    for (int i = 0; i < 3; ++i) asked.push_back(rig.begin(ask_for(kStream)));
    EXPECT_TRUE(eventually([&] { return rig.flowing() == 3; }));
    *gate.open = true;
    for (auto& one : asked) {
        const Reply reply = one.get();
        EXPECT_FALSE(reply.clean);
        EXPECT_EQ(reply.code(), "upstream_stream_cut");
    }
    for (const auto& record : rig.records(3)) {
        EXPECT_EQ(record.outcome, "truncated");
        EXPECT_EQ(record.error, "upstream_stream_cut");
    }
}

TEST(CoalesceRig, TheEnginesOwnErrorEventIsTheCauseForAll) {
    Rig rig(1, [](PoolOptions& pool) {
        pool.retry.max_attempts = 1;
        pool.continuation.max = 0;
    });
    rig.gateway().set_cache(coalesce_only());
    const Gate gate;
    rig.upstream(0).play(gate.script(Act::ErrorEvent));
    std::vector<std::future<Reply>> asked;
    for (int i = 0; i < 3; ++i) asked.push_back(rig.begin(ask_for(kStream)));
    EXPECT_TRUE(eventually([&] { return rig.flowing() == 3; }));
    *gate.open = true;
    for (auto& one : asked) EXPECT_THAT(one.get().body, HasSubstr("engine says no"));
    for (const auto& record : rig.records(3)) EXPECT_EQ(record.error, "upstream_stream_error") << record.cache;
}

TEST(CoalesceRig, SamplesAreNotShared) {
    Rig rig(1);
    rig.gateway().set_cache(coalesce_only());
    EXPECT_EQ(rig.ask_all(5, ask_for(kWhole)).size(), 5u);
    EXPECT_EQ(rig.upstream(0).requests(), 5);
}

}  // namespace
}  // namespace stoker::gateway::test
