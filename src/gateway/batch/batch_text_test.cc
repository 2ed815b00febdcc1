#include "gateway/batch/batch_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace stoker::gateway {
namespace {

using testing::ElementsAre;

constexpr BatchApi kEmbeddings = BatchApi::Embeddings;
constexpr BatchApi kCompletions = BatchApi::Completions;

TEST(BatchText, ReadsTextsAndNothingElse) {
    const struct {
        BatchApi api;
        std::string_view body;
        std::vector<std::string> inputs;
        std::string_view others = "";
    } cases[] = {
        {kEmbeddings, R"({"model":"e","input":"a"})", {R"("a")"}},
        {kEmbeddings, R"({"model":"e","input":["a","b"],"dimensions":8})", {R"("a")", R"("b")"}, R"("dimensions":8)"},
        {kEmbeddings, R"({"user":"u","input":"a","model":"e"})", {R"("a")"}},
        {kEmbeddings,
         R"({"input":"a","encoding_format":"base64","dimensions":8,"model":"e"})",
         {R"("a")"},
         R"("dimensions":8,"encoding_format":"base64")"},
        {kEmbeddings, R"({"model":"e","input":[1,2,3]})", {}},
        {kEmbeddings, R"({"model":"e","input":[[1,2],[3]]})", {}},
        {kEmbeddings, R"({"model":"e","input":["a",1]})", {}},
        {kEmbeddings, R"({"model":"e","input":[]})", {}},
        {kEmbeddings, R"({"model":"e"})", {}},
        {kEmbeddings, R"({"model":"e","input":"a","input":"b"})", {}},
        {kCompletions, R"({"model":"c","prompt":"a","max_tokens":4})", {R"("a")"}, R"("max_tokens":4)"},
        {kCompletions, R"({"model":"c","prompt":"a","n":1})", {R"("a")"}, R"("n":1)"},
        {kCompletions, R"({"model":"c","prompt":"a","n":2})", {}},
        {kCompletions, R"({"model":"c","prompt":"a","best_of":2})", {}},
        {kCompletions, R"({"model":"c","prompt":"a","stream":true})", {}},
        {kCompletions, R"({"model":"c","prompt":[1,2]})", {}},
    };
    for (const auto& one : cases) {
        const auto item = read_batch_item(one.api, one.body);
        EXPECT_EQ(item.has_value(), !one.inputs.empty()) << one.body;
        if (!item) continue;
        EXPECT_EQ(item->inputs, one.inputs) << one.body;
        EXPECT_EQ(item->others, one.others) << one.body;
    }
}

struct Items {
    std::vector<BatchItem> items;
    std::vector<const BatchItem*> all;

    Items(BatchApi api, const std::vector<std::string>& bodies) {
        for (const auto& body : bodies) items.push_back(*read_batch_item(api, body));
        for (const auto& item : items) all.push_back(&item);
    }
};

TEST(BatchText, PutsTogetherAndTakesApart) {
    const Items given(kEmbeddings, {R"({"model":"e","input":"aa","dimensions":2})",
                                    R"({"model":"e","input":["b","c"],"dimensions":2})"});
    EXPECT_EQ(batch_body(kEmbeddings, "e", given.all), R"({"model":"e","input":["aa","b","c"],"dimensions":2})");
    const auto parts = split_answer(
        kEmbeddings,
        R"({"object":"list","data":[{"index":1,"embedding":[1]},{"embedding":[2],"index":2},{"index":0,"embedding":[0]}],)"
        R"("model":"e","usage":{"prompt_tokens":10,"total_tokens":10,"prompt_tokens_details":null}})",
        given.all);
    ASSERT_TRUE(parts) << parts.error().message;
    EXPECT_THAT(*parts,
                ElementsAre(R"({"object":"list","data":[{"index":0,"embedding":[0]}],"model":"e",)"
                            R"("usage":{"prompt_tokens":4,"total_tokens":4}})",
                            R"({"object":"list","data":[{"index":0,"embedding":[1]},{"embedding":[2],"index":1}],)"
                            R"("model":"e","usage":{"prompt_tokens":6,"total_tokens":6}})"));
}

TEST(BatchText, CompletionTokensGoByTheAnswersLength) {
    const Items given(kCompletions, {R"({"model":"c","prompt":"a"})", R"({"model":"c","prompt":"b"})"});
    const auto parts = split_answer(
        kCompletions,
        R"({"usage":{"prompt_tokens":3,"completion_tokens":101,"total_tokens":104},"choices":[)"
        R"({"index":0,"text":"x","finish_reason":"stop"},{"index":1,"text":"yyyyyyyyyyyyyyyyyyyyyy","finish_reason":"length"}]})",
        given.all);
    ASSERT_TRUE(parts) << parts.error().message;
    EXPECT_EQ((*parts)[0], R"({"usage":{"prompt_tokens":1,"completion_tokens":40,"total_tokens":41},)"
                           R"("choices":[{"index":0,"text":"x","finish_reason":"stop"}]})");
    EXPECT_EQ((*parts)[1], R"({"usage":{"prompt_tokens":2,"completion_tokens":61,"total_tokens":63},)"
                           R"("choices":[{"index":0,"text":"yyyyyyyyyyyyyyyyyyyyyy","finish_reason":"length"}]})");
}

TEST(BatchText, AnAnswerThatDoesNotFitIsRefused) {
    const Items given(kEmbeddings, {R"({"model":"e","input":"a"})", R"({"model":"e","input":"b"})"});
    for (const std::string_view answer :
         {R"({"data":[{"index":0}]})", R"({"data":[{"index":0},{"index":0}]})", R"({"data":[{"index":0},{"index":2}]})",
          R"({"data":[{"index":0},{"index":1},{"index":2}]})", R"({"data":[{"index":0},{}]})", R"({"data":[0,1]})",
          R"({"object":"list"})", R"({"data":[{"index":0},{"index":1})", R"([])", ""}) {
        EXPECT_FALSE(split_answer(kEmbeddings, answer, given.all)) << answer;
    }
}

TEST(BatchText, SharesAddUpToTheWhole) {
    const struct {
        std::int64_t total;
        std::vector<std::size_t> weights;
    } cases[] = {{0, {1, 2}},         {7, {1, 1, 1}},  {1, {5, 5, 5}},
                 {100, {0, 0, 0, 0}}, {10, {0, 3, 0}}, {4'000'000'000'000, {std::size_t{1} << 40, 3, 7}}};
    for (const auto& one : cases) {
        const auto shares = share_out(one.total, one.weights);
        ASSERT_EQ(shares.size(), one.weights.size());
        EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), std::int64_t{0}), one.total);
        for (const std::int64_t share : shares) EXPECT_GE(share, 0);
    }
    EXPECT_THAT(share_out(10, std::vector<std::size_t>{0, 3, 0}), ElementsAre(0, 10, 0));
}

}  // namespace
}  // namespace stoker::gateway
