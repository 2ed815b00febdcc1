// Streams that break off and go on: on another replica, on the same one, or not at all.
#include "gateway/upstream/continuation.h"

#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

void impatient(PoolOptions& pool) {
    pool.deadlines = {.connect = 500ms, .first_byte = 700ms, .between = 700ms, .total = 10s};
    for (ReplicaOptions& replica : pool.replicas) replica.continuation = ContinuationMode::On;
}

// The contents of a reply's events, in order.
std::string text_of(const Reply& reply) {
    constexpr std::string_view kKey = R"("content":")";
    std::string text;
    for (std::size_t at = 0; (at = reply.body.find(kKey, at)) != std::string::npos;) {
        at += kKey.size();
        text += reply.body.substr(at, reply.body.find('"', at) - at) + " ";
    }
    return text;
}

int count(const std::string& body, std::string_view what) {
    int found = 0;
    for (std::size_t at = 0; (at = body.find(what, at)) != std::string::npos; at += what.size()) ++found;
    return found;
}

TEST(Continuation, ABrokenStreamGoesOnElsewhere) {
    for (const Act act : {Act::Cut, Act::Stall, Act::Malformed, Act::NoEnd}) {
        Rig rig(2, impatient);
        rig.upstream(0).play({.act = act, .events = 4, .until = [&] { return rig.flowing() == 1; }});
        Reply reply;
        for (int i = 0; i < 2 && rig.upstream(0).requests() == 0; ++i) reply = rig.ask();
        EXPECT_EQ(reply.status, 200);
        EXPECT_TRUE(reply.clean);
        EXPECT_EQ(text_of(reply), " t0 t1 t2 t3 t0 t1 t2 ") << reply.body;
        EXPECT_EQ(count(reply.body, "\"role\""), 1);
        EXPECT_EQ(count(reply.body, "finish_reason"), 1);
        EXPECT_EQ(count(reply.body, "[DONE]"), 1);
        EXPECT_THAT(rig.upstream(1).last_body(), HasSubstr(R"(,{"role":"assistant","content":"t0t1t2t3"}])"));
        EXPECT_THAT(rig.upstream(1).last_body(), HasSubstr(R"("continue_final_message":true)"));
        const auto record = rig.records(static_cast<std::size_t>(rig.upstream(1).requests())).back();
        EXPECT_EQ(record.outcome, "ok");
        EXPECT_EQ(record.completion_tokens, 7);
        EXPECT_EQ(record.prompt_tokens, 6) << "what went up again is no part of the client's prompt";
        EXPECT_EQ(record.usage_source, records::UsageSource::Engine);
        EXPECT_EQ(record.attempts.size(), 2u);
        EXPECT_EQ(record.attempts[0].tokens, 4);
        EXPECT_EQ(record.attempts[1].tokens, 3);
        EXPECT_EQ(rig.status(0).failures_total, 1);
        EXPECT_EQ(rig.status(1).failures_total, 0);
    }
}

TEST(Continuation, TheSameReplicaMayGoOnIfThereIsNoOther) {
    Rig rig(1, impatient);
    rig.upstream(0).play({.act = Act::Cut, .events = 2, .until = [&] { return rig.flowing() == 1; }, .times = 1});
    const Reply reply = rig.ask();
    EXPECT_TRUE(reply.clean);
    EXPECT_EQ(text_of(reply), " t0 t1 t0 t1 t2 ");
}

TEST(Continuation, UsageThatTheClientAskedForIsOfTheWhole) {
    Rig rig(1, impatient);
    rig.upstream(0).play({.act = Act::Cut, .events = 2, .until = [&] { return rig.flowing() == 1; }, .times = 1});
    const Reply reply = rig.ask({.body = R"({"model":"tiny","stream":true,"stream_options":{"include_usage":true},)"
                                         R"("messages":[{"role":"user","content":"hi"}],"max_tokens":9})"});
    EXPECT_EQ(count(reply.body, "\"usage\""), 1);
    EXPECT_THAT(reply.body, HasSubstr(R"("usage":{"prompt_tokens":8,"completion_tokens":5,)"));
    EXPECT_THAT(rig.upstream(0).last_body(), HasSubstr(R"("max_tokens":7)"));
}

TEST(Continuation, NotMoreOftenThanAllowed) {
    Rig rig(1, impatient);
    rig.upstream(0).play({.act = Act::Cut, .events = 2, .until = [&] { return rig.flowing() == 1; }});
    const Reply reply = rig.ask();
    EXPECT_FALSE(reply.clean);
    EXPECT_EQ(reply.code(), "upstream_stream_cut");
    EXPECT_THAT(reply.body, HasSubstr("not continued: too_often"));
    EXPECT_EQ(text_of(reply), " t0 t1 t0 t1 t0 t1 ");
    EXPECT_EQ(rig.upstream(0).requests(), 3);
    EXPECT_EQ(rig.records(1)[0].outcome, "truncated");
    EXPECT_EQ(rig.records(1)[0].completion_tokens, 6);
}

TEST(Continuation, WhatCannotGoOnEndsWithAnErrorThatSaysWhy) {
    const std::pair<std::string, std::string> cases[] = {
        {R"("n":2,)", "many_choices"},
        {R"("logprobs":true,)", "logprobs"},
        {R"("response_format":{"type":"json_object"},)", "structured"},
        {R"("continue_final_message":true,)", "prefilled"},
    };
    for (const auto& [member, why] : cases) {
        Rig rig(2, impatient);
        for (std::size_t i : {0u, 1u})
            rig.upstream(i).play({.act = Act::Cut, .events = 2, .until = [&] { return rig.flowing() == 1; }});
        const Reply reply = rig.ask(
            {.body = "{" + member + R"("model":"tiny","stream":true,"messages":[{"role":"user","content":"hi"}]})"});
        EXPECT_FALSE(reply.clean);
        EXPECT_EQ(reply.code(), "upstream_stream_cut");
        EXPECT_THAT(reply.body, HasSubstr("not continued: " + why));
        EXPECT_EQ(rig.upstream(0).requests() + rig.upstream(1).requests(), 1);
    }
}

TEST(Continuation, ARefusalToGoOnEndsTheStreamAndIsRemembered) {
    Rig rig(2, impatient);
    rig.upstream(0).play({.act = Act::Cut, .events = 2, .until = [&] { return rig.flowing() == 1; }});
    rig.upstream(1).play({.act = Act::Status, .status = 400});
    Reply reply;
    for (int i = 0; i < 2 && rig.upstream(0).requests() == 0; ++i) reply = rig.ask();
    EXPECT_FALSE(reply.clean);
    EXPECT_EQ(reply.code(), "upstream_stream_cut");
    EXPECT_THAT(reply.body, HasSubstr("refused with status 400"));
    EXPECT_EQ(rig.status(1).failures_total, 0) << "a refusal is no failure of the replica's";
}

TEST(Continuation, OnlyEnginesThatAreKnownToContinueAreAskedTo) {
    for (const std::string owner : {"vllm", "sglang", "llamacpp", "somebody"}) {
        Rig rig(1, [](PoolOptions& pool) {
            impatient(pool);
            pool.replicas[0].continuation = ContinuationMode::Auto;
            pool.health.interval = 5ms;
        });
        rig.upstream(0).set_owner(owner);
        rig.upstream(0).set_health(503);
        ASSERT_TRUE(eventually([&] { return rig.status(0).state == ReplicaState::Down; }));
        rig.upstream(0).set_health(200);
        ASSERT_TRUE(eventually([&] { return rig.status(0).state == ReplicaState::Serving; }));
        rig.upstream(0).play({.act = Act::Cut, .events = 2, .until = [&] { return rig.flowing() == 1; }, .times = 1});
        const Reply reply = rig.ask();
        EXPECT_EQ(reply.clean, owner != "somebody") << owner << reply.body;
    }
}

TEST(Continuation, ACompletionGoesOnByItsPromptOnAnyEngine) {
    Rig rig(1, [](PoolOptions& pool) {
        impatient(pool);
        pool.replicas[0].continuation = ContinuationMode::Auto;
    });
    rig.upstream(0).play({.act = Act::Cut, .events = 2, .until = [&] { return rig.flowing() == 1; }, .times = 1});
    const Reply reply =
        rig.ask({.body = R"({"model":"tiny","stream":true,"prompt":"once"})", .path = "/v1/completions"});
    EXPECT_TRUE(reply.clean) << reply.body;
    EXPECT_THAT(rig.upstream(0).last_body(), HasSubstr(R"("prompt":"oncet0t1")"));
}

TEST(Continuation, NothingIsAskedWhenAllTokensAreThere) {
    Rig rig(1, impatient);
    rig.upstream(0).play({.act = Act::Cut, .events = 4, .until = [&] { return rig.flowing() == 1; }});
    const Reply reply = rig.ask(
        {.body = R"({"model":"tiny","stream":true,"messages":[{"role":"user","content":"hi"}],"max_tokens":4})"});
    EXPECT_TRUE(reply.clean);
    EXPECT_THAT(reply.body, HasSubstr(R"("finish_reason":"length")"));
    EXPECT_EQ(count(reply.body, "[DONE]"), 1);
    EXPECT_EQ(rig.upstream(0).requests(), 1);
}

TEST(Continuation, AStreamCutAfterItsFinishReasonIsWhole) {
    Rig rig(1, impatient);
    rig.upstream(0).play({.act = Act::CutAtEnd, .until = [&] { return rig.flowing() == 1; }});
    const Reply reply = rig.ask();
    EXPECT_TRUE(reply.clean);
    EXPECT_EQ(count(reply.body, "[DONE]"), 1);
    EXPECT_EQ(rig.upstream(0).requests(), 1);
}

// Its usage is missing then: the client has the gateway's own count, and the record says that it is one.
TEST(Continuation, AStreamThatLacksItsUsageHasOurs) {
    for (const Act act : {Act::CutAtEnd, Act::EndsAtFinish}) {
        for (const int most : {0, 2}) {  // Continuations: what is kept of a stream is another thing with none.
            Rig rig(1, [most](PoolOptions& pool) {
                impatient(pool);
                pool.continuation.max = most;
            });
            rig.upstream(0).play({.act = act, .events = 5, .until = [&] { return rig.flowing() == 1; }});
            const Reply reply = rig.ask(
                {.body = R"({"model":"tiny","stream":true,"messages":[],"stream_options":{"include_usage":true}})"});
            EXPECT_TRUE(reply.clean);
            EXPECT_THAT(reply.body, HasSubstr(R"("completion_tokens":5,)"));
            EXPECT_TRUE(reply.body.ends_with("data: [DONE]\n\n")) << reply.body;
            const auto record = rig.records(1)[0];
            EXPECT_EQ(record.outcome, "ok");
            EXPECT_EQ(record.completion_tokens, 5);
            EXPECT_EQ(record.usage_source, records::UsageSource::Estimated);
            const auto has_it =
                testing::Matches(testing::ContainsRegex("ledger=\"unreported\"[^\n]*type=\"completion\"[^\n]*} 5\n"));
            EXPECT_TRUE(eventually([&] { return has_it(rig.registry().text()); }));
        }
    }
}

TEST(Continuation, OffMeansOff) {
    Rig rig(2, [](PoolOptions& pool) {
        impatient(pool);
        pool.continuation.max = 0;
    });
    for (std::size_t i : {0u, 1u})
        rig.upstream(i).play({.act = Act::Cut, .events = 2, .until = [&] { return rig.flowing() == 1; }});
    EXPECT_THAT(rig.ask().body, HasSubstr("not continued: off"));
}

}  // namespace
}  // namespace stoker::gateway::test
