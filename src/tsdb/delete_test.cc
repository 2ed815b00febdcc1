#include <gtest/gtest.h>

#include <random>

#include "tsdb/store_fixture.h"
#include "tsdb/tombstones.h"

namespace stoker::tsdb {
namespace {

using testing::at;
using testing::content;
using testing::Content;
using testing::kMaxTime;
using testing::kMinTime;
using testing::TestStore;

constexpr std::int64_t kStart = 1'700'000'000'000;
constexpr std::int64_t kHour = 3'600'000;

Matcher is(const std::string& value) {
    return {"__name__", Matcher::Op::Equal, value};
}

TEST(TimeIntervals, StaySortedAndJoined) {
    struct Case {
        TimeIntervals before;
        TimeInterval added;
        TimeIntervals after;
    };
    const Case cases[] = {{{}, {1, 2}, {{1, 2}}},
                          {{{1, 2}}, {3, 4}, {{1, 4}}},
                          {{{1, 2}}, {4, 5}, {{1, 2}, {4, 5}}},
                          {{{4, 5}}, {1, 2}, {{1, 2}, {4, 5}}},
                          {{{1, 2}, {6, 7}, {10, 12}}, {2, 9}, {{1, 12}}},
                          {{{1, 9}}, {2, 3}, {{1, 9}}},
                          {{{5, 6}}, {1, 9}, {{1, 9}}},
                          {{{kMinTime, kMaxTime}}, {0, 1}, {{kMinTime, kMaxTime}}}};
    for (const Case& one : cases) {
        TimeIntervals intervals = one.before;
        add_interval(intervals, one.added);
        EXPECT_EQ(intervals, one.after);
        const auto again = decode_intervals(encode_intervals(intervals));
        ASSERT_TRUE(again.has_value());
        EXPECT_EQ(*again, one.after);
    }
}

TEST(TimeIntervals, AnswerAsASetOfTimesWould) {
    std::mt19937 random(7);
    TimeIntervals intervals;
    std::vector<bool> times(200);
    for (int round = 0; round < 20; ++round) {
        const std::int64_t start = random() % 190;
        const std::int64_t end = start + random() % 10;
        add_interval(intervals, {start, end});
        std::fill(times.begin() + start, times.begin() + end + 1, true);
        for (std::int64_t a = 0; a < 200; ++a) {
            ASSERT_EQ(contains(intervals, a), times[static_cast<std::size_t>(a)]);
            const std::int64_t b = std::min<std::int64_t>(199, a + random() % 20);
            const auto first = times.begin() + a;
            const auto last = times.begin() + b + 1;
            ASSERT_EQ(covers(intervals, {a, b}), std::find(first, last, false) == last);
            ASSERT_EQ(overlaps(intervals, {a, b}), std::find(first, last, true) != last);
        }
    }
}

// Samples of `a` and `b`, one a minute, some on disk and some in memory.
void fill(TestStore& store) {
    for (std::int64_t i = 0; i < 600; ++i) {
        store.append({at("a", kStart + i * 60'000, static_cast<double>(i)), at("b", kStart + i * 60'000, 1)});
    }
    store.maintain(kStart);
}

Content without_times(Content all, const std::string& series, std::int64_t start, std::int64_t end) {
    std::erase_if(all[series], [&](const auto& sample) { return sample.first >= start && sample.first <= end; });
    if (all[series].empty()) {
        all.erase(series);
    }
    return all;
}

TEST(StoreDelete, HidesAtOnceAcrossRestartsAndCheckpoints) {
    TestStore store;
    fill(store);
    const Content want = without_times(content(*store), "a", kStart + kHour, kStart + 5 * kHour);
    EXPECT_EQ(*store->delete_series({is("a")}, kStart + kHour, kStart + 5 * kHour), 1U);
    EXPECT_EQ(content(*store), want);
    EXPECT_EQ(*store->delete_series({is("a")}, kStart + 2 * kHour, kStart + 3 * kHour), 0U);
    store.reopen();
    EXPECT_EQ(content(*store), want);
    store.maintain(kStart + 20 * kHour);
    store.maintain(kStart + 21 * kHour);
    store.reopen();
    EXPECT_EQ(content(*store), want);
    EXPECT_EQ(content(*store, {}, kStart + kHour, kStart + 5 * kHour).size(), 1U);
    EXPECT_EQ(*store->label_values("__name__", {is("a")}, kStart + kHour, kStart + 2 * kHour),
              std::vector<std::string>{});
    EXPECT_FALSE(store->delete_series({{"a", Matcher::Op::Regex, "("}}, 0, 1).has_value());
}

TEST(StoreDelete, WhatComesLaterIsShown) {
    TestStore store;
    store.append({at("a", kStart, 1)});
    EXPECT_EQ(*store->delete_series({is("a")}, kMinTime, kMaxTime), 1U);
    EXPECT_EQ(content(*store), Content{});
    EXPECT_TRUE(store->select({is("a")}, kMinTime, kMaxTime, 0)->empty());
    store.append({at("a", kStart + 1, 2)});
    EXPECT_EQ(content(*store).at("a").size(), 1U);
    store.reopen();
    EXPECT_EQ(content(*store).at("a").size(), 1U);
}

}  // namespace
}  // namespace stoker::tsdb
