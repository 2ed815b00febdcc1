#include "tsdb/rollup.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

namespace stoker::tsdb {
namespace {

std::vector<RollupRow> rows_of(std::int64_t resolution, const std::vector<Sample>& samples) {
    RollupMaker maker(resolution);
    for (const Sample& sample : samples) {
        maker.add(sample);
    }
    return maker.take();
}

bool same(const RollupRow& a, const RollupRow& b) {
    const auto bits = [](double value) { return std::bit_cast<std::uint64_t>(value); };
    const Rollup& x = a.rollup;
    const Rollup& y = b.rollup;
    return a.histograms == b.histograms && a.ends_stale == b.ends_stale && x.end == y.end && x.start == y.start &&
           x.count == y.count && x.first_time == y.first_time && x.last_time == y.last_time &&
           bits(x.first) == bits(y.first) && bits(x.last) == bits(y.last) && bits(x.sum) == bits(y.sum) &&
           bits(x.min) == bits(y.min) && bits(x.max) == bits(y.max) &&
           (bits(x.lost) == bits(y.lost) || std::isnan(y.lost));
}

TEST(Rollup, StretchesAreOpenOnTheLeft) {
    EXPECT_EQ(stretch_of(300'000, 300'000), 0);
    EXPECT_EQ(stretch_of(300'001, 300'000), 300'000);
    EXPECT_EQ(stretch_of(1, 300'000), 0);
    EXPECT_EQ(stretch_of(0, 300'000), -300'000);
    EXPECT_EQ(stretch_of(-1, 300'000), -300'000);
    EXPECT_EQ(stretch_of(-300'000, 300'000), -600'000);
}

TEST(Rollup, CountersAddUpAcrossResets) {
    const auto rows = rows_of(100, {{1, 5}, {2, 8}, {3, 2}, {100, 4}, {101, 7}});
    ASSERT_EQ(rows.size(), 2U);
    const Rollup& first = rows[0].rollup;
    EXPECT_EQ(first.count, 4U);
    EXPECT_EQ(first.first, 5);
    EXPECT_EQ(first.last, 4);
    EXPECT_EQ(first.sum, 19);
    EXPECT_EQ(first.min, 2);
    EXPECT_EQ(first.max, 8);
    EXPECT_EQ(first.last - first.first + first.lost, 3 + 2 + 2);
    EXPECT_EQ(first.first_time, 1);
    EXPECT_EQ(first.last_time, 100);
    EXPECT_EQ(rows[1].rollup.lost, 0);
}

TEST(Rollup, MarkersAndHistogramsAreLeftOutAndSaid) {
    const auto rows = rows_of(100, {{1, 5}, {2, stale_marker()}, {150, histogram_marker()}, {201, 1}});
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_TRUE(rows[0].ends_stale);
    EXPECT_FALSE(rows[0].histograms);
    EXPECT_EQ(rows[0].rollup.count, 1U);
    EXPECT_TRUE(rows[1].histograms);
    EXPECT_EQ(rows[1].rollup.count, 0U);
    EXPECT_FALSE(rows[2].histograms || rows[2].ends_stale);
}

TEST(Rollup, ComeBackBitForBit) {
    std::mt19937_64 random(5);
    for (int round = 0; round < 300; ++round) {
        std::vector<Sample> samples;
        std::int64_t time = -5'000'000 + static_cast<std::int64_t>(random() % 10'000'000);
        double value = 0;
        for (int i = 0; i < 400; ++i) {
            time += 1 + static_cast<std::int64_t>(random() % 60'000);
            switch (round % 4) {
                case 0:
                    value += static_cast<double>(random() % 100);
                    break;
                case 1:
                    value = static_cast<double>(random()) / 7;
                    break;
                case 2:
                    value = random() % 5 == 0 ? std::nan("") : static_cast<double>(random() % 10) / 10;
                    break;
                default:
                    value = random() % 50 == 0 ? stale_marker() : 3;
            }
            samples.push_back({time, value});
        }
        for (const std::int64_t resolution : {kShortRollup, kLongRollup}) {
            const auto rows = rows_of(resolution, samples);
            const std::string bytes = encode_rollups(rows, resolution);
            const auto again = decode_rollups(bytes, resolution);
            ASSERT_TRUE(again.has_value()) << round;
            ASSERT_EQ(again->size(), rows.size());
            for (std::size_t i = 0; i < rows.size(); ++i) {
                ASSERT_TRUE(same(rows[i], (*again)[i])) << round << " " << i;
            }
            (void)decode_rollups(std::string_view(bytes).substr(0, random() % bytes.size()), resolution);
        }
    }
}

TEST(Rollup, WhatFallsAllTheTimeIsNoCounter) {
    std::vector<Sample> gauge;
    std::vector<Sample> counter;
    for (std::int64_t i = 1; i <= 100; ++i) {
        gauge.push_back({i, static_cast<double>(i % 3)});
        counter.push_back({i, static_cast<double>(i % 20)});
    }
    EXPECT_TRUE(std::isnan(decode_rollups(encode_rollups(rows_of(50, gauge), 50), 50)->front().rollup.lost));
    EXPECT_EQ(decode_rollups(encode_rollups(rows_of(50, counter), 50), 50)->front().rollup.lost, 19 + 19);
}

TEST(Rollup, ExtendingIsTheSameAsOneOfAll) {
    const std::vector<Sample> samples{{1, 5}, {2, 8}, {101, 2}, {103, std::nan("")}, {150, 4}, {201, 7}};
    auto parts = rows_of(100, samples);
    Rollup all = parts[0].rollup;
    extend(all, parts[1].rollup);
    extend(all, parts[2].rollup);
    RollupRow joined;
    joined.rollup = all;
    RollupRow whole = rows_of(1000, samples)[0];
    whole.rollup.end = joined.rollup.end;
    EXPECT_TRUE(std::isnan(all.sum) && std::isnan(whole.rollup.sum));
    joined.rollup.sum = whole.rollup.sum = 0;
    EXPECT_TRUE(same(joined, whole));
}

TEST(Rollup, ACounterTakesFewBytes) {
    std::vector<Sample> samples;
    for (std::int64_t i = 1; i <= 1440; ++i) {
        samples.push_back({i * 15'000, static_cast<double>(i * 10)});
    }
    const auto rows = rows_of(kShortRollup, samples);  // Six hours.
    ASSERT_EQ(rows.size(), 72U);
    EXPECT_LT(encode_rollups(rows, kShortRollup).size(), 72U * 9);
}

}  // namespace
}  // namespace stoker::tsdb
