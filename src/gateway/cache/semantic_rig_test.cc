// Answers to similar questions, and answers while nothing but the cache answers, through a real gateway.
#include "gateway/cache/answer_cache.h"
#include "gateway/cache/cache_options.h"
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using testing::HasSubstr;

Ask question(const std::string& text, const std::string& more = {}) {
    Ask ask;
    ask.body = R"({"model":"tiny","temperature":0,"messages":[{"role":"user","content":")" + text + "\"}]" + more + "}";
    return ask;
}

Script embedding(const std::string& numbers) {
    Script script{.act = Act::Status, .status = 200};
    script.body = R"({"object":"list","data":[{"index":0,"embedding":[)" + numbers + "]}]}";
    return script;
}

class SemanticRig : public testing::Test {
protected:
    SemanticRig() {
        rig_.add_pool("embeddings", "embedder");
        EXPECT_TRUE(rig_.apply());
        CacheOptions options;
        options.rules = {{.models = {"tiny"}, .semantic = {.model = "embedder", .threshold = 0.9}}};
        rig_.gateway().set_cache(options);
    }
    std::string asked(const std::string& text, const std::string& numbers, const std::string& more = {}) {
        rig_.upstream(1).play(embedding(numbers));
        return rig_.ask(question(text, more)).header("x-stoker-cache");
    }

    Rig rig_{1};
};

TEST_F(SemanticRig, ASimilarQuestionGetsTheAnswer) {
    EXPECT_EQ(asked("how old is the moon", "1,0"), "miss");
    EXPECT_EQ(asked("what is the moon's age", "0.96,0.28"), "semantic; similarity=0.96");
    EXPECT_EQ(asked("how old is the moon", "0,0"), "hit");
    EXPECT_EQ(asked("how far is the moon", "0.5,0.5"), "miss");
    EXPECT_EQ(rig_.upstream(0).requests(), 2);
    EXPECT_EQ(rig_.upstream(1).requests(), 3);
    EXPECT_THAT(rig_.upstream(1).last_body(), HasSubstr(R"("input":"how far is the moon")"));
    const auto records = rig_.records(4);
    ASSERT_EQ(records.size(), 4u);  // None of the embeddings'.
    EXPECT_EQ(records[1].cache, "semantic");
    EXPECT_EQ(records[1].completion_tokens, 0);
}

TEST_F(SemanticRig, AllElseMustBeIdentical) {
    EXPECT_EQ(asked("how old is the moon", "1,0"), "miss");
    EXPECT_EQ(asked("what is the moon's age", "1,0", R"(,"max_tokens":5)"), "miss");
    EXPECT_EQ(asked("what is the moon's age", "1,0", R"(,"stream":true)"), "miss");
}

TEST_F(SemanticRig, WithoutAnEmbeddingItIsAMiss) {
    rig_.upstream(1).stop();
    EXPECT_EQ(rig_.ask(question("anything")).header("x-stoker-cache"), "miss");
    EXPECT_EQ(rig_.ask(question("anything")).header("x-stoker-cache"), "hit");
}

TEST_F(SemanticRig, WhatWasPurgedIsNotFoundByMeaning) {
    EXPECT_EQ(asked("how old is the moon", "1,0"), "miss");
    rig_.gateway().purge_cache({});
    EXPECT_EQ(asked("what is the moon's age", "1,0"), "miss");
    EXPECT_EQ(asked("the moon's age, please", "1,0"), "semantic; similarity=1.00");
}

TEST(CacheOnlyRig, ADegradedPoolAnswersFromTheCacheOrRefuses) {
    Rig rig(1);
    CacheOptions options;
    options.rules = {{}};
    rig.gateway().set_cache(options);
    EXPECT_EQ(rig.ask(question("known")).header("x-stoker-cache"), "miss");
    DegradationOptions degradation;
    degradation.levels[4].cache_only = true;
    rig.gateway().degradation().configure(degradation);
    rig.gateway().degradation().pin({"", DegradationLevel::Emergency, {}, "test", ""}, now());
    const Reply hit = rig.ask(question("known"));
    EXPECT_EQ(hit.status, 200);
    EXPECT_EQ(hit.header("x-stoker-cache"), "hit");
    EXPECT_EQ(hit.header("x-stoker-degradation"), "4");
    const Reply refused = rig.ask(question("unknown"));
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.code(), "service_degraded");
    EXPECT_NE(refused.header("retry-after"), "");
    EXPECT_EQ(rig.ask().status, 503);  // A sample is never in the cache.
    rig.gateway().set_cache({});
    EXPECT_EQ(rig.ask(question("known")).status, 503);
    EXPECT_EQ(rig.upstream(0).requests(), 1);
}

}  // namespace
}  // namespace stoker::gateway::test
