// Retention by size and by age.
#include <gtest/gtest.h>

#include "tsdb/chunk.h"
#include "tsdb/store_fixture.h"

namespace stoker::tsdb {
namespace {

using testing::at;
using testing::content;
using testing::TestStore;

constexpr std::int64_t kDay = kPartitionMillis;
constexpr std::int64_t kStart = 20'000 * kDay;

// A day's noise in 20 series: some 200 KiB.
void add_day(TestStore& store, std::int64_t day) {
    for (std::int64_t i = 0; i < 1440; ++i) {
        std::vector<SeriesSample> batch;
        for (int s = 0; s < 20; ++s) {
            const double noise = static_cast<double>((i * 7919 + s * 104'729 + day * 31) % 1'000'003) / 7;
            batch.push_back(at("m" + std::to_string(s), kStart + day * kDay + i * 60'000, noise));
        }
        store.append(batch);
    }
    store.maintain(kStart + (day + 1) * kDay - 60'000);
    store.maintain(kStart + (day + 1) * kDay - 1);
}

std::int64_t oldest_of(const Store& store) {
    return content(store).begin()->second.front().first;
}

TEST(RetentionBytes, TheOldestDaysGoFirst) {
    TestStore store({.retention_bytes = 900'000, .checkpoint_interval = Duration{1000}});
    for (std::int64_t day = 0; day < 8; ++day) {
        add_day(store, day);
        ASSERT_LT(store->stats().bytes_on_disk, 1'500'000U) << day;
    }
    EXPECT_GT(oldest_of(*store), kStart + kDay);
    EXPECT_LT(oldest_of(*store), kStart + 7 * kDay);
    EXPECT_EQ(content(*store).size(), 20U);
    EXPECT_TRUE(store->health().has_value());
}

TEST(RetentionBytes, TodayStaysAndHealthSaysSo) {
    TestStore store({.retention_bytes = 50'000, .checkpoint_interval = Duration{1000}});
    add_day(store, 0);
    store.maintain(kStart + kDay - 1);
    EXPECT_EQ(content(*store).at("m0").size(), 1440U);
    ASSERT_FALSE(store->health().has_value());
    EXPECT_EQ(store->health().error().code, Errc::ResourceExhausted);
    EXPECT_TRUE(store->append({at("m0", kStart + kDay - 1, 1)}).has_value());
}

TEST(RetentionByAge, GoesByTheClockForAges) {
    constexpr std::int64_t kMonth = 30 * kDay;
    TestStore store({.retention = Duration{15 * kDay}});
    store.append({at("m", kStart, 1)});
    store.maintain(kStart + kMonth, kStart + 1000);  // A clock that is doubted.
    EXPECT_EQ(content(*store).at("m").size(), 1U);
    store.maintain(kStart + 2 * kMonth, kStart + kMonth);
    EXPECT_TRUE(content(*store).empty());
}

TEST(RetentionByAge, AfterTheClockWasSetBackSamplesOfTodayAreTaken) {
    constexpr std::int64_t kYear = 365 * kDay;
    TestStore store({.retention = Duration{15 * kDay}});
    store.maintain(kStart + kYear);
    EXPECT_EQ(store.append({at("m", kStart, 1)}).accepted, 0U);
    store.maintain(kStart);
    EXPECT_EQ(store.append({at("m", kStart, 1)}).accepted, 1U);
}

}  // namespace
}  // namespace stoker::tsdb
