#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gateway/cache/semantic_index.h"
#include "gateway/cache/semantic_text.h"

namespace stoker::gateway {
namespace {

CacheKey key(std::uint8_t number) {
    CacheKey made{};
    made[0] = number;
    return made;
}

std::vector<float> at(double degrees) {
    const double radians = degrees * 3.14159265358979 / 180;
    return {static_cast<float>(std::cos(radians)), static_cast<float>(std::sin(radians))};
}

TEST(SemanticText, ReadsTheQuestion) {
    const struct {
        std::string_view body;
        bool whole;
        std::string text;  // Empty: it is none.
    } cases[] = {
        {R"({"messages":[{"role":"user","content":"h\u0069"}]})", false, "hi"},
        {R"({"messages":[{"role":"system","content":"be"},{"role":"user","content":"hi"}]})", false, "hi"},
        {R"({"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]})", false,
         "ab"},
        {R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]})", false, ""},
        {R"({"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"x"}]})", false, ""},
        {R"({"messages":[{"role":"user","content":null}]})", false, ""},
        {R"({"messages":[]})", false, ""},
        {R"({"prompt":"hi"})", false, "hi"},
        {R"({"prompt":[1,2]})", false, ""},
        {R"({"prompt":"a","messages":[]})", false, ""},
        {R"({"messages":[{"role":"system","content":"be"},{"role":"user","content":"hi"}]})", true,
         "\"system\": be\n\"user\": hi\n"},
    };
    for (const auto& one : cases) {
        const auto question = read_question(one.body, one.whole, false);
        EXPECT_EQ(question.has_value(), !one.text.empty()) << one.body;
        EXPECT_EQ(question ? question->text : "", one.text) << one.body;
    }
}

TEST(SemanticText, WhatSurroundsTheQuestionMustBeTheSame) {
    const auto around = [](std::string_view body, bool whole = false) {
        return read_question(body, whole, false).value().around;
    };
    const auto plain = around(R"({"model":"m","temperature":0,"messages":[{"role":"user","content":"hi"}]})");
    EXPECT_EQ(plain,
              around(R"({"model":"n","messages":[{"role":"user","content":"other"}],"temperature":0,"user":"u"})"));
    EXPECT_NE(plain, around(R"({"model":"m","temperature":1,"messages":[{"role":"user","content":"hi"}]})"));
    EXPECT_NE(
        plain,
        around(R"({"temperature":0,"messages":[{"role":"system","content":"x"},{"role":"user","content":"hi"}]})"));
    EXPECT_EQ(around(R"({"messages":[{"role":"system","content":"x"},{"role":"user","content":"hi"}]})", true),
              around(R"({"messages":[{"role":"system","content":"y"},{"role":"user","content":"ho"}]})", true));
}

TEST(SemanticText, ReadsAnEmbedding) {
    const auto unit = read_embedding(R"({"data": [ {"index":0, "embedding": [3, -4.0e0]} ]})");
    ASSERT_EQ(unit.size(), 2u);
    EXPECT_FLOAT_EQ(unit[0], 0.6F);
    EXPECT_FLOAT_EQ(unit[1], -0.8F);
    for (const std::string_view bad :
         {R"({"data":[{"embedding":"AAAA"}]})", R"({"data":[{"embedding":[]}]})", R"({"data":[{"embedding":[1,"a"]}]})",
          R"({"data":[{"embedding":[0,0]}]})", R"({"error":{}})", "", "[]"}) {
        EXPECT_TRUE(read_embedding(bad).empty()) << bad;
    }
}

TEST(SemanticText, DotProductsOfAnySize) {
    for (std::size_t size = 0; size < 20; ++size) {
        std::vector<float> a(size, 2);
        EXPECT_FLOAT_EQ(dot_product(a, a), 4.0F * static_cast<float>(size));
    }
}

TEST(SemanticIndex, FindsTheMostSimilarAboveTheThreshold) {
    SemanticIndex index;
    index.configure(10);
    index.put(key(1), at(0), key(10));
    index.put(key(1), at(30), key(11));
    const auto found = index.find(key(1), at(20), 0.9);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->answer, key(11));
    EXPECT_NEAR(found->similarity, std::cos(10 * 3.14159265 / 180), 1e-6);
    EXPECT_FALSE(index.find(key(1), at(90), 0.9));
    EXPECT_FALSE(index.find(key(2), at(0), 0.9));
    EXPECT_FALSE(index.find(key(1), std::vector<float>{1}, 0.9));
}

TEST(SemanticIndex, TheOldestGoesFirst) {
    SemanticIndex index;
    index.configure(2);
    for (std::uint8_t i = 0; i < 3; ++i) index.put(key(i), at(0), key(i));
    EXPECT_EQ(index.size(), 2u);
    EXPECT_FALSE(index.find(key(0), at(0), 0.9));
    EXPECT_TRUE(index.find(key(2), at(0), 0.9));
    for (int i = 0; i < 100; ++i) index.put(key(2), at(0), key(2));
    EXPECT_LE(index.size(), 2u);
    index.configure(0);
    EXPECT_EQ(index.size(), 0u);
}

TEST(SemanticIndex, ForgetsAndReplaces) {
    SemanticIndex index;
    index.configure(10);
    for (std::uint8_t i = 0; i < 4; ++i) index.put(key(1), at(i * 40), key(i));
    index.forget(key(1), key(1));
    index.forget(key(1), key(9));
    EXPECT_EQ(index.size(), 3u);
    EXPECT_FALSE(index.find(key(1), at(40), 0.99));
    EXPECT_EQ(index.find(key(1), at(120), 0.99)->answer, key(3));
    index.put(key(1), std::vector<float>{1, 0, 0}, key(7));
    EXPECT_EQ(index.size(), 1u);
}

}  // namespace
}  // namespace stoker::gateway
