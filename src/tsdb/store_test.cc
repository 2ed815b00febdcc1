#include "tsdb/store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "tsdb/chunk.h"
#include "tsdb/disk.h"
#include "tsdb/store_fixture.h"

namespace stoker::tsdb {
namespace {

using testing::at;
using testing::content;
using testing::Content;
using testing::Samples;
using testing::TestStore;

std::uint64_t bits(double value) {
    return std::bit_cast<std::uint64_t>(value);
}
Matcher is(const std::string& name, const std::string& value) {
    return {name, Matcher::Op::Equal, value};
}

constexpr std::int64_t kDay = kPartitionMillis;
constexpr std::int64_t kStart = 20'000 * kDay;

TEST(Store, AppendedSamplesAreThere) {
    TestStore store;
    const auto outcome = store.append({at("up", 1000, 1), at("down", 1000, 0), at("up", 2000, 0.5)});
    EXPECT_EQ(outcome.accepted, 3U);
    const Content want{{"up", {{1000, bits(1)}, {2000, bits(0.5)}}}, {"down", {{1000, bits(0)}}}};
    EXPECT_EQ(content(*store), want);
    EXPECT_EQ(store->stats().series, 2U);
    EXPECT_EQ(store->stats().newest_time, 2000);
    EXPECT_EQ(store->stats().oldest_time, 1000);
}

TEST(Store, CountsWhatItRefuses) {
    TestStore store({.out_of_order_window = Duration(0), .max_series = 2});
    store.append({at("a", 1000, 1), at("b", 1000, 1)});
    const auto outcome =
        store.append({at("a", 1000, 1), at("a", 1000, 2), at("a", 999, 1), at("c", 1000, 1), at("b", 1001, 1)});
    EXPECT_EQ(outcome.duplicates, 1U);
    EXPECT_EQ(outcome.out_of_order, 2U);
    EXPECT_EQ(outcome.over_limit, 1U);
    EXPECT_EQ(outcome.accepted, 1U);
}

TEST(Store, StaleMarkersAreSamplesLikeOthers) {
    TestStore store;
    EXPECT_EQ(store.append({at("a", 1, stale_marker())}).accepted, 1U);
    EXPECT_EQ(store.append({at("a", 1, stale_marker())}).duplicates, 1U);
    store.reopen();
    EXPECT_EQ(content(*store), (Content{{"a", {{1, kStaleBits}}}}));
}

TEST(Store, RangeIsInclusiveAtBothEnds) {
    TestStore store;
    store.append({at("a", 10, 1), at("a", 20, 2), at("a", 30, 3), at("a", 40, 4)});
    EXPECT_EQ(content(*store, {}, 20, 30), (Content{{"a", {{20, bits(2)}, {30, bits(3)}}}}));
    EXPECT_TRUE(content(*store, {}, 41, 50).empty());
    EXPECT_TRUE(content(*store, {}, 0, 9).empty());
}

TEST(Store, SelectSortsAndLimits) {
    TestStore store;
    store.append({at("c", 1, 1), at("a", 1, 1), at("b", 1, 1)});
    const auto found = store->select({}, 0, 10, 3);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ((*found)[0]->labels().metric(), "a");
    EXPECT_EQ((*found)[2]->labels().metric(), "c");
    const auto over = store->select({}, 0, 10, 2);
    ASSERT_FALSE(over.has_value());
    EXPECT_EQ(over.error().code, Errc::ResourceExhausted);
    const auto bad = store->select({{"a", Matcher::Op::Regex, "("}}, 0, 10, 0);
    ASSERT_FALSE(bad.has_value());
    EXPECT_EQ(bad.error().code, Errc::InvalidArgument);
}

TEST(Store, ViewOutlivesLaterAppendsMaintenanceAndTheStore) {
    TestStore store({.checkpoint_bytes = 1});
    Samples want;
    for (int i = 0; i < 1000; ++i) {
        store.append({at("a", kStart + i, i)});
        want.emplace_back(kStart + i, bits(i));
    }
    auto before = store->select({}, kStart, kStart + kDay, 0);
    ASSERT_TRUE(before.has_value());
    store.maintain(kStart + 1000);
    auto after = store->select({}, kStart, kStart + kDay, 0);
    ASSERT_TRUE(after.has_value());
    store.append({at("a", kStart + 5000, 1)});
    store.maintain(kStart + 30 * kDay);
    store.close();
    EXPECT_EQ(testing::samples_of(*before->front()), want);
    EXPECT_EQ(testing::samples_of(*after->front()), want);
    EXPECT_EQ(testing::samples_of(*after->front()), want) << "a second walk";
}

TEST(Store, CachedRefsSkipTheLookupAndHealThemselves) {
    TestStore store;
    const Labels labels{{"__name__", "a"}, {"x", "1"}};
    std::vector<CachedSample> batch{{&labels, {1000, 1}, 0}};
    ASSERT_TRUE(store->append_cached(batch).has_value());
    const SeriesRef ref = batch[0].ref;
    EXPECT_NE(ref, 0U);
    batch[0].sample = {2000, 2};
    ASSERT_TRUE(store->append_cached(batch).has_value());
    EXPECT_EQ(batch[0].ref, ref);
    batch[0].ref = ref + (std::uint64_t{1} << 32);  // A series that has gone.
    batch[0].sample = {3000, 3};
    ASSERT_TRUE(store->append_cached(batch).has_value());
    EXPECT_EQ(batch[0].ref, ref);
    EXPECT_EQ(content(*store).begin()->second.size(), 3U);
}

// Random series through appends, maintenance at random moments, and restarts: memory, disk and log must always add up
// to what was accepted.
TEST(Store, ReopenedEqualsMemoryEqualsPlain) {
    for (unsigned seed = 0; seed < 6; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        TestStore store(
            {.retention = Duration(1000 * kDay), .checkpoint_bytes = std::size_t{20'000} << (random() % 4)});
        Content plain;
        std::vector<std::int64_t> last(20, kStart);
        std::int64_t newest = kStart;
        for (int round = 0; round < 300; ++round) {
            std::vector<SeriesSample> batch;
            for (std::size_t s = 0; s < last.size(); ++s) {
                if (random() % 3 == 0) {
                    continue;
                }
                const std::size_t burst = random() % 20;
                for (std::size_t i = 0; i < burst; ++i) {
                    last[s] +=
                        static_cast<std::int64_t>(random() % 200 == 0 ? random() % (3 * kDay) : 1 + random() % 30'000);
                    const double value =
                        random() % 4 == 0 ? static_cast<double>(random() % 9) : static_cast<double>(random()) / 3;
                    const std::string name = "m" + std::to_string(s);
                    batch.push_back(at(name, last[s], value));
                    plain[name].emplace_back(last[s], bits(value));
                }
                newest = std::max(newest, last[s]);
            }
            EXPECT_EQ(store.append(batch).accepted, batch.size());
            if (random() % 20 == 0) {
                store.maintain(newest);
            }
            if (random() % 60 == 0) {
                store.reopen();
                ASSERT_EQ(content(*store), plain) << "round " << round;
            }
        }
        ASSERT_EQ(content(*store), plain);
        const std::int64_t from = kStart + 2 * kDay;
        const std::int64_t to = kStart + 9 * kDay;
        Content cut;
        for (const auto& [name, samples] : plain) {
            for (const auto& sample : samples) {
                if (sample.first >= from && sample.first <= to) {
                    cut[name].push_back(sample);
                }
            }
        }
        EXPECT_EQ(content(*store, {}, from, to), cut);
    }
}

TEST(Store, RetentionDropsSamplesAndSeries) {
    TestStore store({.retention = Duration(5 * kDay), .rollup_retention = Duration(0), .checkpoint_bytes = 1});
    store.append({at("gone", kStart, 1)});
    for (int day = 0; day < 10; ++day) {
        for (int i = 0; i < 300; ++i) {
            store.append({at("stays", kStart + day * kDay + i * 1000, i)});
        }
    }
    const std::int64_t now = kStart + 10 * kDay;
    store.maintain(now);
    store.maintain(now + kDay / 2);
    for (int round = 0; round < 2; ++round) {
        const Content left = content(*store);
        EXPECT_EQ(left.count("gone"), 0U);
        ASSERT_EQ(left.count("stays"), 1U);
        EXPECT_EQ(left.at("stays").size(), 4U * 300);
        EXPECT_EQ(store->stats().series, 1U);
        store.reopen();
        store.maintain(now + kDay / 2);
    }
    EXPECT_EQ(store->label_values("__name__", {}, 0, now).value_or({}), std::vector<std::string>{"stays"});
    store.append({at("gone", now, 2)});
    store.reopen();
    EXPECT_EQ(content(*store).at("gone"), (Samples{{now, bits(2)}}));
}

TEST(Store, CheckpointTrimsTheLog) {
    TestStore store({.checkpoint_bytes = 100'000});
    const auto log_bytes = [&] {
        std::uintmax_t total = 0;
        for (const auto& file : std::filesystem::directory_iterator(store.path() + "/wal")) {
            total += file.file_size();
        }
        return total;
    };
    for (int i = 0; i < 20'000; ++i) {
        store.append({at("a" + std::to_string(i % 50), kStart + i, i)});
    }
    const auto before = log_bytes();
    store.maintain(kStart + 20'000);
    EXPECT_LT(log_bytes(), 1000U);
    EXPECT_GT(before, 100'000U);
    const Content want = content(*store);
    store.reopen();
    EXPECT_EQ(content(*store), want);
}

TEST(Store, SecondOpenOfOneFolderIsRefused) {
    TestStore store;
    metrics::Registry registry;
    const auto second = Store::open(store.path(), {}, registry);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::Conflict) << second.error().message;
}

TEST(Store, LabelNamesAndValues) {
    TestStore store;
    store.append(
        {{Labels{{"__name__", "a"}, {"x", "1"}}, {1, 1}}, {Labels{{"__name__", "b"}, {"y", "2"}, {"x", "3"}}, {1, 1}}});
    using Texts = std::vector<std::string>;
    EXPECT_EQ(store->label_names({}, 0, 9).value_or({}), (Texts{"__name__", "x", "y"}));
    EXPECT_EQ(store->label_names({is("__name__", "a")}, 0, 9).value_or({}), (Texts{"__name__", "x"}));
    EXPECT_EQ(store->label_values("x", {}, 0, 9).value_or({}), (Texts{"1", "3"}));
    EXPECT_EQ(store->label_values("x", {is("y", "2")}, 0, 9).value_or({}), (Texts{"3"}));
    EXPECT_EQ(store->label_values("nope", {}, 0, 9).value_or({}), Texts{});
    // Names and values are those of series with samples then.
    store.append({{Labels{{"__name__", "c"}, {"z", "1"}, {"x", "4"}}, {1'000'000, 1}}});
    EXPECT_EQ(store->label_names({}, 0, 999'999).value_or({}), (Texts{"__name__", "x", "y"}));
    EXPECT_EQ(store->label_names({}, 2, 1'000'000).value_or({}), (Texts{"__name__", "x", "z"}));
    EXPECT_EQ(store->label_values("x", {}, 2, 1'000'000).value_or({}), Texts{"4"});
    EXPECT_EQ(store->label_values("x", {}, 2, 999'999).value_or({}), Texts{});
    EXPECT_EQ(store->label_values("x", {}, 0, 2'000'000).value_or({}), (Texts{"1", "3", "4"}));
}

}  // namespace
}  // namespace stoker::tsdb
