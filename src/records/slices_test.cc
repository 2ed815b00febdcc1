#include "records/slices.h"

#include <gtest/gtest.h>

#include <string>

namespace stoker::records {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMinute = 60'000'000'000;

// The lengths of the slices of so many minutes in minutes, each of which takes `per_minute` for each of its minutes.
std::string lengths(std::int64_t minutes, std::optional<Duration> budget, std::chrono::microseconds per_minute,
                    bool* complete = nullptr) {
    Slices slices(0, minutes * kMinute, budget);
    SteadyTime now{1h};
    std::string out;
    std::int64_t expected_to = minutes * kMinute;
    while (slices.next(now)) {
        EXPECT_EQ(slices.to_ns(), expected_to);
        expected_to = slices.from_ns();
        const std::int64_t length = (slices.to_ns() - slices.from_ns()) / kMinute;
        out += std::to_string(length) + " ";
        now += per_minute * length;
    }
    if (complete != nullptr) *complete = slices.complete();
    return out;
}

TEST(Slices, GrowFourfoldToTheEnd) {
    bool complete = false;
    EXPECT_EQ(lengths(5, {}, 1ms, &complete), "5 ");
    EXPECT_TRUE(complete);
    EXPECT_EQ(lengths(1440, {}, 1ms, &complete), "10 40 160 640 590 ");
    EXPECT_TRUE(complete);
}

TEST(Slices, KeepWithinTheBudget) {
    bool complete = true;
    // A minute takes 2 ms: 250 of them fit.
    EXPECT_EQ(lengths(1440, 500ms, 2ms, &complete), "10 40 160 40 ");
    EXPECT_FALSE(complete);
    EXPECT_EQ(lengths(1440, 0ms, 2ms, &complete), "10 ");
    EXPECT_FALSE(complete);
    EXPECT_EQ(lengths(1440, 500ms, 0us, &complete), "10 40 160 640 590 ");
    EXPECT_TRUE(complete);
}

TEST(Slices, OfAllTimeEnd) {
    Slices slices(0, INT64_MAX, {});
    int count = 0;
    while (slices.next(SteadyTime{1s})) ASSERT_LT(++count, 40);
    EXPECT_TRUE(slices.complete());
    Slices none(5, 5, {});
    EXPECT_TRUE(none.next(SteadyTime{1s}));
    EXPECT_FALSE(none.next(SteadyTime{1s}));
}

}  // namespace
}  // namespace stoker::records
