#include "base/retention_clock.h"

#include <gtest/gtest.h>

namespace stoker {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Timestamp kStart = from_millis(1'700'000'000'000);

// Time passes on both clocks alike; step() sets the wall clock.
class RetentionClockTest : public ::testing::Test {
protected:
    Timestamp after(Duration time) {
        wall_ += time;
        steady_ += time;
        return clock_.at(wall_, steady_);
    }
    void step(Duration by) { wall_ += by; }

    Timestamp wall_ = kStart;
    SteadyTime steady_{};
    RetentionClock clock_{wall_, steady_};
};

TEST_F(RetentionClockTest, IsTheWallClockWhereThatRunsWell) {
    EXPECT_EQ(after(hours(1)), kStart + hours(1));
    step(minutes(59));  // Set right after a bad start, or daylight saving done wrong.
    EXPECT_EQ(after(minutes(1)), wall_);
}

TEST_F(RetentionClockTest, AStepAheadThatIsTakenBackDeletesNothing) {
    step(hours(24 * 365));
    EXPECT_EQ(after(minutes(10)), kStart + minutes(10));
    EXPECT_EQ(after(hours(20)), kStart + minutes(10) + hours(20));
    step(-hours(24 * 365));
    EXPECT_EQ(after(minutes(10)), kStart + hours(20) + minutes(20));
    EXPECT_EQ(clock_.at(wall_, steady_), wall_);
}

TEST_F(RetentionClockTest, AStepAheadThatLastsADayIsBelieved) {
    step(hours(48));
    EXPECT_EQ(after(hours(1)), kStart + hours(1));
    EXPECT_EQ(after(hours(23)), kStart + hours(24));
    EXPECT_EQ(after(hours(1)), wall_);
}

TEST_F(RetentionClockTest, BackItGoesAtOnce) {
    step(-hours(24 * 365));
    EXPECT_EQ(after(minutes(1)), wall_);
}

TEST_F(RetentionClockTest, AStartFarAfterTheStoredDataIsDoubtedToo) {
    clock_.stored_until(kStart - hours(24 * 30));
    EXPECT_EQ(after(hours(1)), kStart - hours(24 * 30) + hours(1));
    after(hours(24));
    EXPECT_EQ(after(hours(1)), wall_);
}

TEST_F(RetentionClockTest, AWeekWithoutDataIsNothingUnusual) {
    clock_.stored_until(kStart - hours(24 * 6));
    EXPECT_EQ(after(minutes(1)), wall_);
}

TEST_F(RetentionClockTest, DataFromTheFutureChangeNothing) {
    clock_.stored_until(kStart + hours(5));
    EXPECT_EQ(after(minutes(1)), wall_);
}

}  // namespace
}  // namespace stoker
