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
    return a.mixed == b.mixed && x.start == y.start && x.count == y.count && x.first_time == y.first_time &&
           x.last_time == y.last_time && bits(x.first) == bits(y.first) && bits(x.last) == bits(y.last) &&
           bits(x.sum) == bits(y.sum) && bits(x.min) == bits(y.min) && bits(x.max) == bits(y.max) &&
           bits(x.increase) == bits(y.increase);
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
    EXPECT_EQ(first.increase, 3 + 2 + 2);
    EXPECT_EQ(first.first_time, 1);
    EXPECT_EQ(first.last_time, 100);
    EXPECT_EQ(rows[1].rollup.increase, 0);
}

TEST(Rollup, MarkersAndHistogramsAreLeftOutAndSaid) {
    const auto rows = rows_of(100, {{1, 5}, {2, stale_marker()}, {150, histogram_marker()}, {201, 1}});
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_TRUE(rows[0].mixed);
    EXPECT_EQ(rows[0].rollup.count, 1U);
    EXPECT_TRUE(rows[1].mixed);
    EXPECT_EQ(rows[1].rollup.count, 0U);
    EXPECT_FALSE(rows[2].mixed);
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
