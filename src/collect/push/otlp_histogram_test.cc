#include "collect/push/otlp_histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "collect/push/push_fixture.h"

namespace stoker::collect {
namespace {

using ::testing::HasSubstr;
using wire::otlp::Point;

std::string native(const Point& point) {
    auto histogram = native_histogram(point);
    return histogram ? testing::show(**histogram) : histogram.error().message;
}

Point exponential(std::int32_t scale, std::int32_t offset, std::vector<std::uint64_t> counts, std::uint64_t zero = 0) {
    Point point;
    point.scale = scale;
    point.positive = {offset, std::move(counts)};
    point.zero_count = zero;
    point.count = zero;
    for (const auto count : point.positive.counts) point.count += count;
    point.sum = 10;
    return point;
}

TEST(OtlpHistogram, IndexesMoveByOne) {
    EXPECT_EQ(native(exponential(0, 0, {1, 2})), "{schema:0 count:3 sum:10 zero:0 p1:1 p2:2}");
    EXPECT_EQ(native(exponential(3, -5, {4}, 2)), "{schema:3 count:6 sum:10 zero:2 p-4:4}");
}

TEST(OtlpHistogram, EmptyRunsBecomeSpans) {
    auto histogram = native_histogram(exponential(0, 0, {1, 0, 0, 1, 0, 0, 0, 0, 1, 0}));
    ASSERT_TRUE(histogram.has_value());
    EXPECT_THAT((*histogram)->positive_spans, ::testing::ElementsAre(tsdb::BucketSpan{1, 4}, tsdb::BucketSpan{4, 1}));
    EXPECT_THAT((*histogram)->positive, ::testing::ElementsAre(1, 0, 0, 1, 1));
}

TEST(OtlpHistogram, NegativeSideAndThreshold) {
    Point point = exponential(1, 0, {1});
    point.negative = {2, {5}};
    point.count += 5;
    point.zero_threshold = 0.25;
    EXPECT_EQ(native(point), "{schema:1 count:6 sum:10 zero:0 p1:1 n3:5}");
    EXPECT_EQ((*native_histogram(point))->zero_threshold, 0.25);
    EXPECT_EQ((*native_histogram(exponential(1, 0, {1})))->zero_threshold, kDefaultZeroThreshold);
}

TEST(OtlpHistogram, FineScalesAreMergedAndCoarseOnesRefused) {
    // Scale 10 to 8: four buckets become one; index -1 lies in [-4, -1].
    EXPECT_EQ(native(exponential(10, -1, {1, 2, 3, 4, 5, 6})), "{schema:8 count:21 sum:10 zero:0 p0:1 p1:14 p2:6}");
    EXPECT_THAT(native(exponential(-5, 0, {1})), HasSubstr("the scale -5 is coarser"));
    EXPECT_EQ(native(exponential(-4, 0, {1})), "{schema:-4 count:1 sum:10 zero:0 p1:1}");
}

TEST(OtlpHistogram, CountsMustAgree) {
    Point point = exponential(0, 0, {5});
    point.count = 4;
    EXPECT_FALSE(native_histogram(point).has_value());
    EXPECT_THAT(native(exponential(0, 2147483647, {1})), HasSubstr("index is too large"));
}

TEST(OtlpHistogram, NothingRecordedIsAMarker) {
    Point point;
    point.flags = Point::kNoRecordedValue;
    auto histogram = native_histogram(point);
    ASSERT_TRUE(histogram.has_value());
    EXPECT_TRUE((*histogram)->stale());
}

TEST(OtlpHistogram, CustomBounds) {
    Point point;
    point.bounds = {1, 2, 5};
    point.bucket_counts = {1, 0, 0, 3};
    point.count = 4;
    point.sum = 30;
    auto histogram = custom_histogram(point);
    ASSERT_TRUE(histogram.has_value()) << histogram.error().message;
    EXPECT_EQ(testing::show(**histogram), "{schema:-53 count:4 sum:30 zero:0 p0:1 p1:0 p2:0 p3:3 b1 b2 b5}");
    point.bucket_counts = {1, 2};
    EXPECT_THAT(custom_histogram(point).error().message, HasSubstr("2 buckets for 3 bounds"));
    point.bounds = {2, 1, 5};
    point.bucket_counts = {0, 0, 0, 0};
    EXPECT_THAT(custom_histogram(point).error().message, HasSubstr("do not ascend"));
    point.bounds = {1, 2, 5};
    point.bucket_counts = {5, 0, 0, 0};
    EXPECT_THAT(custom_histogram(point).error().message, HasSubstr("the buckets hold 5"));
}

TEST(OtlpHistogram, AddingKeepsTheCoarserResolution) {
    Point sum = exponential(1, 0, {1, 2});
    add_exponential(sum, exponential(0, 3, {4}, 1));
    EXPECT_EQ(native(sum), "{schema:0 count:8 sum:20 zero:1 p1:3 p2:0 p3:0 p4:4}");
    add_exponential(sum, exponential(0, 0, {}));
    EXPECT_EQ(sum.count, 8u);
}

TEST(OtlpHistogram, AddingBoundsTheNumberOfBuckets) {
    Point sum = exponential(0, -1000, {1});
    add_exponential(sum, exponential(0, 1000, {1}), 100);
    EXPECT_LE(sum.positive.counts.size(), 100u);
    EXPECT_EQ(sum.scale, -5);
    EXPECT_EQ(sum.count, 2u);
}

TEST(OtlpHistogram, AWiderZeroBucketSwallowsWhatItCovers) {
    Point sum = exponential(0, 0, {1, 2, 3});  // (1,2] (2,4] (4,8]
    Point more = exponential(0, 5, {1});
    more.zero_threshold = 3;  // Cuts (2,4] in two: the bucket goes in whole.
    more.zero_count = 7;
    more.count += 7;
    add_exponential(sum, more);
    EXPECT_EQ(native(sum), "{schema:0 count:14 sum:20 zero:10 p3:3 p4:0 p5:0 p6:1}");
    EXPECT_EQ(sum.zero_threshold, 4);
}

// Observations put into random histograms one by one must be found in their sum.
TEST(OtlpHistogram, RandomSumsLoseNothing) {
    std::mt19937 random(20261123);
    for (int round = 0; round < 300; ++round) {
        const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
        Point sum;
        sum.scale = pick(-4, 20);
        sum.sum = 0;
        std::uint64_t total = 0;
        for (int i = 0; i < 10; ++i) {
            std::vector<std::uint64_t> counts(static_cast<std::size_t>(pick(0, 50)));
            for (auto& count : counts) count = static_cast<std::uint64_t>(pick(0, 3));
            Point more = exponential(pick(-4, 20), pick(-3000, 3000), counts, static_cast<std::uint64_t>(pick(0, 5)));
            more.zero_threshold = pick(0, 3) == 0 ? std::exp2(pick(-20, 20)) : 0;
            total += more.count;
            add_exponential(sum, more);
        }
        std::uint64_t found = sum.zero_count;
        for (const auto count : sum.positive.counts) found += count;
        ASSERT_EQ(found, total) << "round " << round;
        ASSERT_EQ(sum.count, total);
    }
}

}  // namespace
}  // namespace stoker::collect
