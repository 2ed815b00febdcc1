#include "tsdb/histogram.h"

#include <gtest/gtest.h>

#include <limits>

#include "tsdb/histogram_buckets.h"

namespace stoker::tsdb {
namespace {

// Schema 0: buckets (1/2, 1], (1, 2], (2, 4], ... from index 0.
Histogram histogram(std::vector<double> positive, double zero = 0) {
    Histogram result;
    result.positive_spans = {{0, static_cast<std::uint32_t>(positive.size())}};
    result.positive = std::move(positive);
    result.zero_count = zero;
    result.count = zero;
    for (const double count : result.positive) result.count += count;
    return result;
}

TEST(Histogram, BoundsOfBuckets) {
    EXPECT_EQ(exponential_bound(0, 0), 1);
    EXPECT_EQ(exponential_bound(3, 0), 8);
    EXPECT_EQ(exponential_bound(-1, 0), 0.5);
    EXPECT_EQ(exponential_bound(2, 1), 2);
    EXPECT_EQ(exponential_bound(1, -2), 16);
    EXPECT_EQ(exponential_bound(1024, 0), std::numeric_limits<double>::max());
    EXPECT_EQ(exponential_bound(1025, 0), std::numeric_limits<double>::infinity());
    EXPECT_EQ(exponential_bound(std::numeric_limits<std::int32_t>::min(), -4), 0);
    EXPECT_DOUBLE_EQ(exponential_bound(1, 8), 1.0027112750502025);
}

TEST(Histogram, LowerResolutionMergesNeighbours) {
    // (1/2, 1], (1, 2], (2, 4], (4, 8] become (1/4, 1], (1, 4], (4, 16].
    const SparseBuckets merged = at_lower_resolution({{0, 1}, {1, 2}, {2, 3}, {3, 4}}, 0, -1);
    ASSERT_EQ(merged.size(), 3U);
    EXPECT_EQ(merged[0].count, 1);
    EXPECT_EQ(merged[1].count, 5);
    EXPECT_EQ(merged[2].count, 4);
}

TEST(Histogram, ZeroBucketMovesPastPopulatedBuckets) {
    const ZeroBucket wider = widened_zero_bucket(histogram({3, 4}, 2), 0.75);
    EXPECT_EQ(wider.threshold, 1);
    EXPECT_EQ(wider.count, 5);
}

TEST(Histogram, Resets) {
    const Histogram before = histogram({1, 2});
    EXPECT_FALSE(counter_reset_between(before, histogram({1, 2})));
    EXPECT_FALSE(counter_reset_between(before, histogram({1, 2, 5})));
    EXPECT_TRUE(counter_reset_between(before, histogram({0, 5})));
    EXPECT_TRUE(counter_reset_between(before, histogram({3})));
    Histogram gauge = histogram({0});
    gauge.reset_hint = Histogram::ResetHint::Gauge;
    EXPECT_FALSE(counter_reset_between(before, gauge));

    // Lower resolution is no reset, higher is.
    Histogram coarse = histogram({1, 2});
    coarse.schema = -1;
    EXPECT_FALSE(counter_reset_between(before, coarse));
    EXPECT_TRUE(counter_reset_between(coarse, before));

    // A wider zero bucket takes in what lies within, if it ends between buckets.
    Histogram wide = histogram({0, 2}, 1);
    wide.zero_threshold = 1;
    EXPECT_FALSE(counter_reset_between(before, wide));
    EXPECT_TRUE(counter_reset_between(wide, before));
    wide.zero_threshold = 0.75;
    EXPECT_TRUE(counter_reset_between(before, wide));

    // Custom bounds that differ are compared at those that both have.
    Histogram custom = histogram({1, 2, 3});
    custom.schema = Histogram::kCustomBuckets;
    custom.custom_bounds = {1, 2};
    Histogram other = histogram({3, 3});
    other.schema = Histogram::kCustomBuckets;
    other.custom_bounds = {2};
    EXPECT_FALSE(counter_reset_between(custom, other));
    EXPECT_TRUE(counter_reset_between(other, custom) == false);
    EXPECT_TRUE(counter_reset_between(custom, before));
}

TEST(Histogram, Validation) {
    EXPECT_TRUE(validate(histogram({1, 2}, 3)).has_value());
    const auto refused = [](auto change) {
        Histogram bad = histogram({1, 2}, 3);
        change(bad);
        return !validate(bad).has_value();
    };
    EXPECT_TRUE(refused([](Histogram& h) { h.schema = 9; }));
    EXPECT_TRUE(refused([](Histogram& h) { h.positive.push_back(1); }));
    EXPECT_TRUE(refused([](Histogram& h) { h.positive[0] = -1; }));
    EXPECT_TRUE(refused([](Histogram& h) { h.count = 5; }));
    EXPECT_TRUE(refused([](Histogram& h) { h.zero_count = -1; }));
    EXPECT_TRUE(refused([](Histogram& h) { h.custom_bounds = {1}; }));
    EXPECT_TRUE(refused([](Histogram& h) { h.positive_spans = {{0, 1}, {-1, 1}}; }));
    EXPECT_TRUE(refused([](Histogram& h) { h.positive_spans[0].length = 4'000'000'000U; }));
    EXPECT_TRUE(refused([](Histogram& h) {
        h.schema = Histogram::kCustomBuckets;
        h.zero_count = 0;
        h.custom_bounds = {2, 1};
    }));
    EXPECT_FALSE(refused([](Histogram& h) {
        h.schema = Histogram::kCustomBuckets;
        h.zero_count = 0;
        h.custom_bounds = {1};
    }));
}

}  // namespace
}  // namespace stoker::tsdb
