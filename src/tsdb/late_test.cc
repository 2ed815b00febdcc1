// What append() does with samples that are late, double, too old, too new, histograms, or come with a start time; and
// that all of it outlives flushes and restarts.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tsdb/chunk.h"
#include "tsdb/store_fixture.h"

namespace stoker::tsdb {
namespace {

using testing::at;
using testing::Content;
using testing::content;
using testing::Samples;
using testing::TestStore;

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kStart = 20'000 * kPartitionMillis;

std::uint64_t bits(double value) {
    return std::bit_cast<std::uint64_t>(value);
}

std::vector<std::pair<std::size_t, Refusal>> refused(const AppendOutcome& outcome) {
    std::vector<std::pair<std::size_t, Refusal>> result;
    for (const Refused& one : outcome.refused) {
        result.emplace_back(one.index, one.why);
    }
    return result;
}
using Refusals = std::vector<std::pair<std::size_t, Refusal>>;

TEST(Append, SaysWhichItemsWereRefusedAndWhy) {
    TestStore store({.out_of_order_window = Duration(100), .max_series = 2});
    store.append({at("a", 1000, 1), at("b", 1000, 1)});
    const std::int64_t future = to_millis(now()) + 3'600'000;
    const auto outcome = store.append({at("a", 1000, 1),
                                       at("a", 1000, 2),
                                       at("a", 899, 1),
                                       at("c", 1000, 1),
                                       at("b", 1001, 1),
                                       at("a", future, 1),
                                       {Labels{}, {1001, 1}},
                                       at("a", 900, 5)});
    EXPECT_EQ(refused(outcome), (Refusals{{1, Refusal::Conflict},
                                          {2, Refusal::TooOld},
                                          {3, Refusal::OverLimit},
                                          {5, Refusal::TooNew},
                                          {6, Refusal::Invalid}}));
    EXPECT_EQ(outcome.duplicates, 1U);
    EXPECT_EQ(outcome.accepted, 2U);
    EXPECT_EQ(outcome.out_of_order, 2U);
    EXPECT_EQ(outcome.over_limit, 1U);
    EXPECT_EQ(outcome.invalid, 2U);
}

TEST(Append, ASeriesFromTheFutureTakesSamplesOfNow) {
    TestStore store({.out_of_order_window = Duration(10 * kMinute), .future_window = Duration(0)});
    const std::int64_t present = to_millis(now());
    store.append({at("a", present + 120 * kMinute, 9)});  // The clock was ahead for a while.
    const auto outcome =
        store.append({at("a", present, 1), at("a", present - 9 * kMinute, 2), at("a", present - 11 * kMinute, 3)});
    EXPECT_EQ(refused(outcome), (Refusals{{2, Refusal::TooOld}}));
    EXPECT_EQ(content(*store, {}, present, present).at("a"), (Samples{{present, bits(1)}}));
}

TEST(Append, RefsWithoutLabelsWhoseSeriesWentAreNamed) {
    TestStore store;
    const Labels labels{{"__name__", "a"}};
    std::vector<CachedSample> batch{{&labels, {1000, 1}, 0}};
    ASSERT_TRUE(store->append_cached(batch).has_value());
    const SeriesRef ref = batch[0].ref;
    batch = {{nullptr, {2000, 2}, ref}, {nullptr, {2000, 2}, ref + (std::uint64_t{1} << 32)}, {nullptr, {3000, 2}, 0}};
    const auto outcome = store->append_cached(batch);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->accepted, 1U);
    EXPECT_EQ(outcome->gone, std::vector<std::size_t>{1});
    EXPECT_EQ(batch[1].ref, 0U);
    EXPECT_EQ(refused(*outcome), (Refusals{{2, Refusal::Invalid}}));
}

TEST(Append, NobodyFromOutsideBringsTheHistogramsMarker) {
    TestStore store;
    store.append({at("a", 1, histogram_marker())});
    const double value = std::bit_cast<double>(content(*store).at("a").front().second);
    EXPECT_TRUE(value != value);
    EXPECT_FALSE(is_histogram(value));
}

TEST(Append, StartTimesBecomeZeros) {
    TestStore store({.out_of_order_window = Duration(10 * kMinute)});
    const auto counter = [](std::int64_t time, double value, std::int64_t start) {
        SeriesSample sample = at("c", time, value);
        sample.start_time = start;
        return sample;
    };
    EXPECT_EQ(store.append({counter(kStart, 5, kStart - kMinute)}).accepted, 1U);
    store.append({counter(kStart + kMinute, 7, kStart - kMinute)});            // The same run of the counter.
    store.append({counter(kStart + 2 * kMinute, 1, kStart + kMinute + 500)});  // It began anew.
    store.append({counter(kStart + 3 * kMinute, 2, kStart + 3 * kMinute)});    // Nothing before it.
    SeriesSample old = at("old", kStart, 3);
    old.start_time = kStart - 11 * kMinute;
    store.append({old});
    const Content want{{"c",
                        {{kStart - kMinute, bits(0)},
                         {kStart, bits(5)},
                         {kStart + kMinute, bits(7)},
                         {kStart + kMinute + 500, bits(0)},
                         {kStart + 2 * kMinute, bits(1)},
                         {kStart + 3 * kMinute, bits(2)}}},
                       {"old", {{kStart, bits(3)}}}};
    EXPECT_EQ(content(*store), want);
    store.reopen();
    EXPECT_EQ(content(*store), want);
}

HistogramPtr histogram_of(int counts) {
    Histogram histogram;
    histogram.positive_spans = {{0, 2}};
    histogram.positive = {static_cast<double>(counts), 1};
    histogram.count = counts + 1;
    histogram.sum = counts * 0.25;
    return std::make_shared<const Histogram>(histogram);
}

SeriesSample histogram_at(std::int64_t time, HistogramPtr histogram) {
    return {Labels{{"__name__", "h"}}, {time, 0}, std::move(histogram)};
}

// Time, then the count of a histogram or the bits of a number.
std::vector<std::pair<std::int64_t, double>> histograms_in(Store& store) {
    std::vector<std::pair<std::int64_t, double>> result;
    auto found = store.select({}, 0, testing::kMaxTime, 0);
    EXPECT_TRUE(found.has_value() && found->size() == 1);
    Sample sample;
    for (auto it = (*found)[0]->samples(); it->next(sample);) {
        EXPECT_EQ(is_histogram(sample.value), it->histogram() != nullptr);
        result.emplace_back(sample.time, it->histogram() == nullptr ? -1 : it->histogram()->count);
    }
    return result;
}

TEST(Append, HistogramsAndNumbersTakeTurnsInOneSeries) {
    TestStore store({.checkpoint_bytes = 1});
    std::vector<std::pair<std::int64_t, double>> want;
    for (int i = 0; i < 1500; ++i) {
        const std::int64_t time = kStart + i * 15'000;
        const bool number = i % 400 == 399;
        const auto outcome = store.append({number ? at("h", time, 1) : histogram_at(time, histogram_of(i))});
        ASSERT_EQ(outcome.accepted, 1U) << i;
        want.emplace_back(time, number ? -1 : i + 1);
        if (i % 170 == 0) {
            store.maintain(time);
        }
        if (i % 333 == 0) {
            store.reopen();
            ASSERT_EQ(histograms_in(*store), want) << i;
        }
    }
    const auto again = store.append({histogram_at(kStart, histogram_of(0))});
    EXPECT_EQ(refused(again), (Refusals{{0, Refusal::TooOld}}));
    const auto last = store.append({histogram_at(want.back().first, histogram_of(1499))});
    EXPECT_EQ(last.duplicates, 1U);
    const auto conflict = store.append({histogram_at(want.back().first, histogram_of(7))});
    EXPECT_EQ(refused(conflict), (Refusals{{0, Refusal::Conflict}}));
    EXPECT_EQ(histograms_in(*store), want);
}

TEST(Append, StaleHistogramsAreStaleMarkersAndBadOnesAreRefused) {
    TestStore store;
    Histogram stale;
    stale.sum = stale_marker();
    store.append({histogram_at(kStart, histogram_of(1)), histogram_at(kStart + 1, std::make_shared<Histogram>(stale))});
    EXPECT_EQ(content(*store).at("h").back(), (std::pair<std::int64_t, std::uint64_t>{kStart + 1, kStaleBits}));
    Histogram bad = *histogram_of(3);
    bad.positive.pop_back();
    const auto outcome = store.append({histogram_at(kStart + 2, std::make_shared<Histogram>(bad))});
    EXPECT_EQ(refused(outcome), (Refusals{{0, Refusal::Invalid}}));
    EXPECT_FALSE(outcome.refused[0].detail.empty());
}

// Samples in a random order within the window, some twice, with flushes, checkpoints and restarts between: everything
// is there once, in order of time.
TEST(Append, LateSamplesAreMergedWhereverTheyLie) {
    for (unsigned seed = 0; seed < 6; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        TestStore store(
            {.out_of_order_window = Duration(200 * kMinute), .checkpoint_bytes = std::size_t{3000} << (seed % 3 * 4)});
        Content want;
        std::vector<std::int64_t> waiting;
        // Starts before midnight, so that late samples lie in both days.
        std::int64_t newest = kStart - 60 * kMinute;
        for (int round = 0; round < 1500; ++round) {
            newest += 10'000 + static_cast<std::int64_t>(random() % 3);
            waiting.push_back(newest);
            if (random() % 8 != 0) {
                std::swap(waiting[random() % waiting.size()], waiting.back());
            }
            const std::int64_t time = waiting.back();
            waiting.pop_back();
            const double value = static_cast<double>(time % 1000);
            auto outcome = store.append({at("a", time, value)});
            if (outcome.accepted == 1) {
                want["a"].emplace_back(time, bits(value));
            } else {
                EXPECT_EQ(refused(outcome), (Refusals{{0, Refusal::TooOld}}));
            }
            if (random() % 10 == 0 && !want["a"].empty()) {
                const auto& known =
                    want["a"][want["a"].size() - 1 - random() % std::min<std::size_t>(want["a"].size(), 300)];
                const std::int64_t last = std::max_element(want["a"].begin(), want["a"].end())->first;
                if (known.first >= last - 200 * kMinute) {
                    EXPECT_EQ(store.append({at("a", known.first, std::bit_cast<double>(known.second))}).duplicates, 1U);
                    outcome = store.append({at("a", known.first, 5000)});
                    EXPECT_EQ(refused(outcome), (Refusals{{0, Refusal::Conflict}}));
                }
            }
            if (random() % 60 == 0) {
                store.maintain(newest);
            }
            if (random() % 150 == 0) {
                store.reopen();
            }
            if (random() % 100 == 0) {
                std::sort(want["a"].begin(), want["a"].end());
                ASSERT_EQ(content(*store), want) << "round " << round;
            }
        }
        std::sort(want["a"].begin(), want["a"].end());
        ASSERT_EQ(content(*store), want);
        const std::int64_t from = kStart - 20 * kMinute;
        const std::int64_t to = kStart + 90 * kMinute;
        Content cut;
        for (const auto& sample : want["a"]) {
            if (sample.first >= from && sample.first <= to) {
                cut["a"].push_back(sample);
            }
        }
        EXPECT_EQ(content(*store, {}, from, to), cut);
    }
}

}  // namespace
}  // namespace stoker::tsdb
