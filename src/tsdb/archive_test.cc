// Series that have gone quiet leave memory, and are found again.
#include "tsdb/archive.h"

#include <gtest/gtest.h>

#include "tsdb/store_fixture.h"

namespace stoker::tsdb {
namespace {

using testing::Content;
using testing::content;
using testing::TestStore;

constexpr std::int64_t kStart = 20'000 * kPartitionMillis;
constexpr std::int64_t kHour = 3'600'000;

SeriesSample of(const std::string& job, int pod, std::int64_t time, double value) {
    return {Labels{{"__name__", "up"}, {"job", job}, {"pod", std::string("p\0", 2) + std::to_string(pod)}},
            {time, value}};
}
Matcher matcher(const std::string& name, Matcher::Op op, const std::string& value) {
    return {name, op, value};
}

// Ten series that live one hour, then ten others, and so on.
struct Fleet {
    TestStore store{
        {.retention = Duration(30 * kHour), .rollup_retention = Duration(0), .checkpoint_interval = Duration(1)}};
    Content want;
    std::size_t most = 0;

    void run(int hours) {
        for (int hour = 0; hour < hours; ++hour) {
            for (int step = 0; step < 4; ++step) {
                const std::int64_t time = kStart + hour * kHour + step * kHour / 4;
                std::vector<SeriesSample> batch;
                for (int i = 0; i < 10; ++i) {
                    batch.push_back(of(i % 2 == 0 ? "even" : "odd", hour * 10 + i, time, hour + i));
                    want[batch.back().labels.text()].emplace_back(time, std::bit_cast<std::uint64_t>(hour + i + 0.0));
                }
                store.append(batch);
                store.maintain(time);
            }
            most = std::max(most, store->stats().series);
        }
    }
};

TEST(Archive, QuietSeriesLeaveMemoryAndAreFound) {
    using Op = Matcher::Op;
    Fleet fleet;
    fleet.run(12);
    EXPECT_LE(fleet.most, 50U);
    for (int round = 0; round < 2; ++round) {
        Store& store = *fleet.store;
        EXPECT_EQ(content(store), fleet.want);
        const auto count = [&](const std::vector<Matcher>& matchers, std::int64_t start, std::int64_t end) {
            return content(store, matchers, start, end).size();
        };
        const std::int64_t end = kStart + 12 * kHour;
        EXPECT_EQ(count({matcher("job", Op::Equal, "odd")}, kStart, end), 60U);
        EXPECT_EQ(count({matcher("job", Op::NotEqual, "odd")}, kStart, kStart + kHour - 1), 5U);
        EXPECT_EQ(count({matcher("job", Op::Equal, "odd"), matcher("pod", Op::Equal, std::string("p\0", 2) + "3")},
                        kStart, end),
                  1U);
        EXPECT_EQ(count({matcher("pod", Op::Regex, std::string("p.1[0-9]"))}, kStart, end), 10U);
        EXPECT_EQ(count({matcher("none", Op::Equal, "")}, kStart + 2 * kHour, kStart + 3 * kHour - 1), 10U);
        EXPECT_EQ(store.label_values("pod", {}, kStart, end).value_or({}).size(), 120U);
        EXPECT_EQ(store.label_values("pod", {matcher("job", Op::Equal, "even")}, kStart, kStart + kHour - 1)
                      .value_or({})
                      .size(),
                  5U);
        EXPECT_LE(store.label_values("pod", {}, end - kHour / 2, end).value_or({}).size(), 50U);
        EXPECT_EQ(store.label_names({}, kStart, end).value_or({}),
                  (std::vector<std::string>{"__name__", "job", "pod"}));
        fleet.store.reopen();
    }
}

TEST(Archive, ASeriesThatComesBackIsOne) {
    Fleet fleet;
    fleet.run(8);
    for (int away = 1; away <= 3; ++away) {
        const std::int64_t time = kStart + (8 + away) * kHour;
        fleet.store.append({of("even", 0, time, away)});
        fleet.want[of("even", 0, 0, 0).labels.text()].emplace_back(time, std::bit_cast<std::uint64_t>(away + 0.0));
        for (int i = 0; i < 4; ++i) {
            fleet.store.maintain(time + i * kHour);
        }
        EXPECT_EQ(content(*fleet.store), fleet.want);
        fleet.store.reopen();
        EXPECT_EQ(content(*fleet.store), fleet.want);
    }
    const auto found =
        fleet.store->select({matcher("pod", Matcher::Op::Equal, std::string("p\0", 2) + "0")}, 0, testing::kMaxTime, 0);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->size(), 1U);
}

TEST(Archive, DeletionAndRetentionReachIt) {
    Fleet fleet;
    fleet.run(8);
    ASSERT_EQ(fleet.store->delete_series({matcher("job", Matcher::Op::Equal, "odd")}, 0, kStart + kHour).value_or(0),
              10U);
    const auto in_first = [&] { return content(*fleet.store, {}, kStart, kStart + kHour - 1).size(); };
    EXPECT_EQ(in_first(), 5U);
    fleet.store.reopen();
    EXPECT_EQ(in_first(), 5U);
    fleet.store.maintain(kStart + 33 * kHour);
    EXPECT_EQ(content(*fleet.store, {}, kStart, kStart + 2 * kHour).size(), 0U);
    EXPECT_EQ(content(*fleet.store).size(), 50U);
    fleet.store.maintain(kStart + 90 * kHour);
    fleet.store.reopen();
    EXPECT_TRUE(content(*fleet.store).empty());
    EXPECT_TRUE(fleet.store->label_values("pod", {}, 0, testing::kMaxTime).value_or({""}).empty());
    // Ids are not given again: what is left of old chunks must not show.
    fleet.store.append({of("new", 1, kStart + 90 * kHour, 1)});
    EXPECT_EQ(content(*fleet.store).size(), 1U);
}

}  // namespace
}  // namespace stoker::tsdb
