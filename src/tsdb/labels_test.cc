#include "tsdb/labels.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "tsdb/querier.h"

namespace stoker::tsdb {
namespace {

TEST(Labels, SortsAndKeepsTheLastOfEqualNames) {
    const Labels labels{{"b", "1"}, {"a", "2"}, {"b", "3"}};
    EXPECT_EQ(labels.text(), "{a=\"2\",b=\"3\"}");
}

TEST(Labels, EmptyValueMeansAbsent) {
    EXPECT_EQ((Labels{{"a", ""}, {"b", "x"}}), (Labels{{"b", "x"}}));
    EXPECT_EQ((Labels{{"a", "x"}, {"a", ""}}), Labels{});
    EXPECT_FALSE((Labels{{"a", ""}}).has("a"));
}

TEST(Labels, TextEscapesAsPrometheusDoes) {
    EXPECT_EQ((Labels{{"__name__", "up"}, {"p", "a\"b\\c\nd"}}).text(), "up{p=\"a\\\"b\\\\c\\nd\"}");
    EXPECT_EQ((Labels{{"__name__", "up"}}).text(), "up");
    EXPECT_EQ(Labels{}.text(), "{}");
}

TEST(Labels, WithWithoutOnly) {
    const Labels labels{{"__name__", "up"}, {"a", "1"}, {"b", "2"}};
    EXPECT_EQ(labels.with("a", "9").get("a"), "9");
    EXPECT_EQ(labels.with("c", "9").size(), 4U);
    EXPECT_EQ(labels.with("a", ""), labels.without({"a"}));
    EXPECT_EQ(labels.only({"a", "zzz"}), (Labels{{"a", "1"}}));
    EXPECT_EQ(labels.metric(), "up");
}

TEST(Labels, OrderIsByNameThenValue) {
    EXPECT_LT((Labels{{"a", "1"}}), (Labels{{"a", "2"}}));
    EXPECT_LT((Labels{{"a", "1"}}), (Labels{{"a", "1"}, {"b", "1"}}));
    EXPECT_LT((Labels{{"a", "9"}}), (Labels{{"b", "0"}}));
}

// The hash decides a series' shard on disk: a change here is a change of format.
TEST(Labels, HashIsPinned) {
    EXPECT_EQ((Labels{{"__name__", "llm_tokens_total"}, {"model", "tiny"}}).hash(), 12645757184681236392ULL);
    EXPECT_EQ(Labels{}.hash(), 0U);
}

TEST(Labels, HashSeparatesNamesFromValues) {
    EXPECT_NE((Labels{{"ab", "c"}}).hash(), (Labels{{"a", "bc"}}).hash());
    EXPECT_NE((Labels{{"a", "b"}, {"c", "d"}}).hash(), (Labels{{"a", "d"}, {"c", "b"}}).hash());
}

TEST(Staleness, OnlyTheExactNanCounts) {
    EXPECT_TRUE(is_stale(stale_marker()));
    EXPECT_FALSE(is_stale(std::numeric_limits<double>::quiet_NaN()));
    EXPECT_EQ(std::bit_cast<std::uint64_t>(stale_marker()), kStaleBits);
}

}  // namespace
}  // namespace stoker::tsdb
