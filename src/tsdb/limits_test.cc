#include "tsdb/limits.h"

#include <gtest/gtest.h>

#include "tsdb/store_fixture.h"

namespace stoker::tsdb {
namespace {

using testing::at;
using testing::TestStore;

constexpr std::int64_t kStart = 1'700'000'000'000;
constexpr std::int64_t kDay = 24LL * 3'600'000;

SeriesSample hit(const std::string& job, const std::string& path, const std::string& tenant = "") {
    Labels labels{{"__name__", "hits"}, {"job", job}, {"instance", job + ":80"}, {"path", path}, {"tenant", tenant}};
    return {labels, {kStart, 1}};
}

TEST(SeriesLimits, EachKindNamesItselfAndWhoReachedIt) {
    struct Case {
        StoreOptions options;
        std::string detail;
    };
    const Case cases[] = {
        {{.max_series = 3}, "max_series is reached: 3 series; label path has 3 values"},
        {{.max_series_per_target = 3},
         "max_series_per_target is reached: 3 series of job=\"a\", instance=\"a:80\"; label path has 3 values"},
        {{.max_series_per_tenant = 3},
         "max_series_per_tenant is reached: 3 series of tenant=\"t\"; label path has 3 values"}};
    for (const Case& one : cases) {
        TestStore store(one.options);
        EXPECT_EQ(store.append({hit("a", "/1", "t"), hit("a", "/2", "t"), hit("a", "/3", "t")}).accepted, 3U);
        const auto outcome = store.append({hit("a", "/1", "t"), hit("a", "/4", "t")});
        EXPECT_EQ(outcome.over_limit, 1U);
        EXPECT_EQ(outcome.duplicates, 1U);
        ASSERT_EQ(outcome.refused.size(), 1U);
        EXPECT_EQ(outcome.refused[0].index, 1U);
        EXPECT_EQ(outcome.refused[0].why, Refusal::OverLimit);
        EXPECT_TRUE(outcome.refused[0].detail.starts_with(one.detail)) << outcome.refused[0].detail;
    }
}

TEST(SeriesLimits, OthersAreNotTouched) {
    TestStore store({.max_series_per_target = 2, .max_series_per_tenant = 3});
    EXPECT_EQ(store.append({hit("a", "/1"), hit("a", "/2"), hit("b", "/1"), hit("a", "/3")}).over_limit, 1U);
    EXPECT_EQ(store.append({at("x", kStart, 1), at("y", kStart, 1), at("z", kStart, 1)}).accepted, 3U);
    EXPECT_EQ(
        store.append({hit("c", "/1", "t"), hit("d", "/2", "t"), hit("e", "/3", "t"), hit("f", "/3", "t")}).over_limit,
        1U);
}

TEST(SeriesLimits, HoldAfterARestartAndGiveRoomWithRetention) {
    TestStore store({.retention = Duration{kDay}, .rollup_retention = Duration{0}, .max_series_per_target = 2});
    store.append({hit("a", "/1"), hit("a", "/2")});
    store.reopen();
    EXPECT_EQ(store.append({hit("a", "/3")}).over_limit, 1U);
    store.maintain(kStart + 3 * kDay);
    EXPECT_EQ(store->stats().series, 0U);
    SeriesSample late = hit("a", "/3");
    late.sample.time = kStart + 3 * kDay;
    EXPECT_EQ(store.append({late}).accepted, 1U);
}

TEST(LimitTexts, AreKeptForAWhile) {
    LimitTexts texts;
    texts.put("a", "text", 1000);
    EXPECT_EQ(texts.find("a", 1000 + LimitTexts::kKeepMillis), "text");
    EXPECT_FALSE(texts.find("a", 1001 + LimitTexts::kKeepMillis).has_value());
    EXPECT_FALSE(texts.find("b", 1000).has_value());
}

}  // namespace
}  // namespace stoker::tsdb
