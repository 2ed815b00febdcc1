// Requests that go to an engine together, through a real gateway.
#include <set>

#include "gateway/batch/batch_options.h"
#include "gateway/cache/cache_options.h"
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using testing::HasSubstr;

CacheOptions together(std::int64_t max_inputs, Duration max_wait = Duration{5'000}) {
    CacheOptions options;
    options.batching = {{.embeddings = true, .completions = true, .max_inputs = max_inputs, .max_wait = max_wait}};
    return options;
}

Ask embed(const std::string& input, const std::string& more = {}) {
    Ask ask;
    ask.path = "/v1/embeddings";
    ask.body = R"({"model":"tiny","input":)" + input + more + "}";
    return ask;
}

// An embeddings answer for so many inputs; the usage is 10 tokens for each.
Script embeddings(int inputs) {
    Script script{.act = Act::Status, .status = 200};
    script.body = R"({"object":"list","data":[)";
    for (int i = 0; i < inputs; ++i) {
        script.body += (i > 0 ? "," : "") + std::string(R"({"object":"embedding","index":)") + std::to_string(i) +
                       R"(,"embedding":[)" + std::to_string(i) + "]}";
    }
    const std::string tokens = std::to_string(10 * inputs);
    script.body += R"(],"usage":{"prompt_tokens":)" + tokens + R"(,"total_tokens":)" + tokens + "}}";
    return script;
}

TEST(BatchRig, AFullBatchGoesAtOnceAndEachGetsItsPart) {
    constexpr int kRequests = 4;
    Rig rig(1);
    rig.gateway().set_cache(together(kRequests));
    rig.upstream(0).play(embeddings(kRequests));
    std::vector<std::future<Reply>> asked;
    for (int i = 0; i < kRequests; ++i) asked.push_back(rig.begin(embed("\"text\"")));
    std::set<std::string> vectors;
    for (auto& one : asked) {
        const Reply reply = one.get();
        EXPECT_EQ(reply.status, 200) << reply.body;
        EXPECT_THAT(reply.body, HasSubstr(R"("index":0)"));
        EXPECT_THAT(reply.body, HasSubstr(R"("usage":{"prompt_tokens":10,"total_tokens":10})"));
        EXPECT_EQ(reply.header("x-stoker-attempts"), "1");
        const auto at = reply.body.find(R"("embedding":[)");
        vectors.insert(reply.body.substr(at, 15));
    }
    EXPECT_EQ(vectors.size(), kRequests + 0u);
    EXPECT_EQ(rig.upstream(0).requests(), 1);
    EXPECT_THAT(rig.upstream(0).last_body(), HasSubstr(R"("input":["text","text","text","text"])"));
    const auto records = rig.records(kRequests);
    ASSERT_EQ(records.size(), kRequests + 0u);
    for (const auto& record : records) {
        EXPECT_EQ(record.prompt_tokens, 10);
        EXPECT_EQ(record.attempts.size(), 1u);
        EXPECT_EQ(record.outcome, "ok");
    }
    EXPECT_THAT(rig.registry().text(), HasSubstr(R"(stoker_batched_requests_total{model="tiny"} 4)"));
}

TEST(BatchRig, OneThatWaitsInVainGoesByItself) {
    Rig rig(1);
    rig.gateway().set_cache(together(4, Duration{1}));
    rig.upstream(0).play(embeddings(1));
    const Reply reply = rig.ask(embed("\"text\""));
    EXPECT_EQ(reply.status, 200);
    EXPECT_THAT(rig.upstream(0).last_body(), HasSubstr(R"("input":"text")"));  // As the client wrote it.
}

TEST(BatchRig, WhatDiffersIsNotPutTogether) {
    Rig rig(1);
    rig.gateway().set_cache(together(4, Duration{50}));
    rig.upstream(0).play(embeddings(1));
    std::vector<std::future<Reply>> asked;
    asked.push_back(rig.begin(embed("\"text\"")));
    asked.push_back(rig.begin(embed("\"text\"", R"(,"dimensions":8)")));
    asked.push_back(rig.begin(embed("\"text\"", R"(,"encoding_format":"base64")")));
    asked.push_back(rig.begin(embed("[1,2,3]")));
    for (auto& one : asked) EXPECT_EQ(one.get().status, 200);
    EXPECT_EQ(rig.upstream(0).requests(), 4);
}

TEST(BatchRig, ABadInputSpoilsNobodyElses) {
    Rig rig(1);
    rig.gateway().set_cache(together(2));
    Script refusal{.act = Act::Status, .status = 400, .times = 1};
    refusal.body = R"({"error":{"message":"too long","type":"x","param":null,"code":"y"}})";
    rig.upstream(0).play(refusal);
    std::vector<std::future<Reply>> asked;
    for (int i = 0; i < 2; ++i) asked.push_back(rig.begin(embed("\"text\"")));
    for (auto& one : asked) EXPECT_EQ(one.get().status, 200);
    EXPECT_EQ(rig.upstream(0).requests(), 3);
    EXPECT_THAT(rig.registry().text(), HasSubstr(R"(stoker_batches_total{model="tiny",result="failed"} 1)"));
}

TEST(BatchRig, AnOverloadIsNotMultiplied) {
    Rig rig(1, [](PoolOptions& pool) { pool.retry.max_attempts = 1; });
    rig.gateway().set_cache(together(4));
    rig.upstream(0).play({.act = Act::Status, .status = 503});
    std::vector<std::future<Reply>> asked;
    for (int i = 0; i < 4; ++i) asked.push_back(rig.begin(embed("\"text\"")));
    for (auto& one : asked) {
        const Reply reply = one.get();
        EXPECT_EQ(reply.status, 503);
        EXPECT_NE(reply.header("retry-after"), "");
    }
    EXPECT_EQ(rig.upstream(0).requests(), 1);
    for (const auto& record : rig.records(4)) EXPECT_EQ(record.error, "upstream_overloaded");
}

TEST(BatchRig, CompletionsGoTogetherToo) {
    Rig rig(1);
    rig.gateway().set_cache(together(2));
    Script script{.act = Act::Status, .status = 200};
    script.body =
        R"({"choices":[{"index":0,"text":"a","finish_reason":"stop"},{"index":1,"text":"b","finish_reason":"stop"}],)"
        R"("usage":{"prompt_tokens":4,"completion_tokens":6,"total_tokens":10}})";
    rig.upstream(0).play(script);
    Ask ask;
    ask.path = "/v1/completions";
    ask.body = R"({"model":"tiny","prompt":"x","max_tokens":3})";
    for (const Reply& reply : rig.ask_all(2, ask)) {
        EXPECT_THAT(reply.body, HasSubstr(R"({"prompt_tokens":2,"completion_tokens":3,"total_tokens":5})"));
    }
    EXPECT_EQ(rig.upstream(0).requests(), 1);
    for (const auto& record : rig.records(2)) {
        EXPECT_EQ(record.completion_tokens, 3);
        EXPECT_EQ(record.finish_reason, "stop");
        ASSERT_EQ(record.attempts.size(), 1u);
        EXPECT_EQ(record.attempts[0].tokens, 3) << "its own share, not the batch's";
    }
}

TEST(BatchRig, WhoLeavesDoesNotTakeTheOthersAlong) {
    Rig rig(1);
    rig.gateway().set_cache(together(2));
    rig.upstream(0).play(embeddings(2));
    Ask leaving = embed("\"text\"");
    leaving.leave_after_pieces = 0;
    auto leader = rig.begin(leaving);
    leader.get();  // Gone before the batch was full.
    EXPECT_EQ(rig.ask(embed("\"text\"")).status, 200);
    EXPECT_EQ(rig.upstream(0).requests(), 1);
}

}  // namespace
}  // namespace stoker::gateway::test
