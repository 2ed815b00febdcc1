#include "gateway/upstream/outliers.h"

#include <gtest/gtest.h>

#include <cmath>

namespace stoker::gateway {
namespace {

OutlierFacts fails(std::int64_t failures, std::int64_t requests = 100) {
    return {true, requests, failures, 0, 0};
}
OutlierFacts takes(double seconds_per_token, double weight = 1) {
    return {true, 100, 0, std::log(seconds_per_token), weight};
}
const OutlierFacts kOut{};

// The replicas that go, as text: "20".
std::string found(const std::vector<OutlierFacts>& pool, const OutlierOptions& options = {}) {
    std::string text;
    for (const Outlier& outlier : find_outliers(pool, options)) text += std::to_string(outlier.replica);
    return text;
}

TEST(Outliers, FailingMuchMoreThanTheOthers) {
    EXPECT_EQ(found({fails(40), fails(1)}), "0");
    EXPECT_EQ(found({fails(1), fails(2), fails(25)}), "2");
    EXPECT_EQ(found({fails(15), fails(0)}), "") << "below the share";
    EXPECT_EQ(found({fails(40), fails(20)}), "") << "all suffer";
    EXPECT_EQ(found({fails(10, 10), fails(0)}), "") << "too few requests";
    EXPECT_EQ(found({fails(40), fails(0, 5)}), "") << "nothing to compare with";
    EXPECT_EQ(found({fails(100)}), "") << "the only one";
}

TEST(Outliers, MuchSlowerThanTheOthers) {
    EXPECT_EQ(found({takes(0.001), takes(0.0011), takes(0.02)}), "2");
    EXPECT_EQ(found({takes(0.001), takes(0.005)}), "");
    EXPECT_EQ(found({takes(0.001), takes(0.02, 0.3)}), "") << "too little is known";
    EXPECT_EQ(found({takes(0.001), takes(0.02)}, {.latency_ratio = 0}), "");
}

TEST(Outliers, AtMostAShareOfThePoolGoesTheWorstFirst) {
    const std::vector<OutlierFacts> pool{fails(30), fails(90), fails(0), fails(0), fails(0), fails(0)};
    EXPECT_EQ(found(pool), "10");
    EXPECT_EQ(found(pool, {.max_ejection = 0.17}), "1");
    EXPECT_EQ(found(pool, {.max_ejection = 0}), "");
    EXPECT_EQ(found({fails(90), kOut, fails(0), fails(0)}), "0") << "two of four";
    EXPECT_EQ(found({fails(90), kOut, kOut, fails(0)}), "") << "two are out already";
    EXPECT_EQ(found({fails(90), fails(0)}, {.max_ejection = 1}), "0");
    EXPECT_EQ(found({fails(90), kOut}, {.max_ejection = 1}), "") << "never the last";
}

TEST(Outliers, SayWhy) {
    const auto outliers = find_outliers(std::vector<OutlierFacts>{fails(45), fails(1)}, {});
    ASSERT_EQ(outliers.size(), 1u);
    EXPECT_EQ(outliers[0].reason, "it fails 45 % of its requests, the others of its pool 1 %");
    EXPECT_EQ(outliers[0].evidence[0], "45 of 100 requests failed, of the others 1 of 100");
}

}  // namespace
}  // namespace stoker::gateway
