#include "gateway/route/canary.h"

#include <gtest/gtest.h>

#include <random>

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMs = 1'000'000;

CanaryOptions options() {
    return {.name = "c", .control = "v1", .candidate = "v2", .steps = {5, 50}, .hold = 60s, .min_requests = 100};
}

// Two arms and a clock: play() sends requests to both and lets the machine look each second.
struct Arms {
    CanarySample control;
    CanarySample candidate;
    std::minstd_rand random{1};

    void send(CanarySample& arm, int count, double failing, double milliseconds) {
        std::uniform_real_distribution<double> fraction(0, 1);
        for (int i = 0; i < count; ++i) {
            if (fraction(random) < failing) {
                ++arm.failed;
                continue;
            }
            ++arm.good;
            arm.first_token.add(static_cast<std::int64_t>(milliseconds * (0.5 + fraction(random)) * kMs));
        }
    }
    void reset() {
        control.reset();
        candidate.reset();
    }
};

struct Load {
    double failing = 0;
    double milliseconds = 100;
    int per_second = 10;
};

std::string play(Canary& canary, Arms& arms, const Load& control, const Load& candidate, int seconds,
                 Timestamp start = Timestamp{}) {
    std::string phases;
    for (int s = 1; s <= seconds; ++s) {
        arms.send(arms.control, control.per_second, control.failing, control.milliseconds);
        arms.send(arms.candidate, candidate.per_second, candidate.failing, candidate.milliseconds);
        if (!canary.tick(arms.control, arms.candidate, start + s * 1s)) continue;
        arms.reset();
        phases += std::string(to_string(canary.state().phase)) + "@" + std::to_string(s) + " ";
    }
    return phases;
}

TEST(Canary, AsGoodAsTheControlIsPromotedStepByStep) {
    Canary canary(options(), {});
    Arms arms;
    EXPECT_EQ(canary.candidate_percent(), 5);
    EXPECT_EQ(play(canary, arms, {}, {}, 61), "observing@60 ");
    EXPECT_EQ(canary.candidate_percent(), 50);
    EXPECT_EQ(play(canary, arms, {}, {}, 61, Timestamp{60s}), "promoted@60 ");
    EXPECT_EQ(canary.candidate_percent(), 100);
    EXPECT_EQ(play(canary, arms, {}, {.failing = 1}, 600, Timestamp{200s}), "") << "what is done is done";
}

TEST(Canary, FailuresRollItBackLongBeforeTheStepIsOver) {
    Canary canary(options(), {});
    Arms arms;
    EXPECT_EQ(play(canary, arms, {}, {.failing = 0.5}, 60), "rolled_back@10 ") << "at its first look";
    EXPECT_EQ(canary.candidate_percent(), 0);
    EXPECT_NE(canary.state().reason.find("failed"), std::string::npos) << canary.state().reason;
}

TEST(Canary, SlownessRollsItBack) {
    Canary canary(options(), {});
    Arms arms;
    EXPECT_NE(play(canary, arms, {}, {.milliseconds = 300}, 60).find("rolled_back"), std::string::npos);
    EXPECT_NE(canary.state().reason.find("time to first token p95"), std::string::npos) << canary.state().reason;
}

TEST(Canary, TooFewRequestsDecideNothing) {
    Canary canary(options(), {});
    Arms arms;
    EXPECT_EQ(play(canary, arms, {}, {.failing = 1, .per_second = 0}, 600), "");
    arms.send(arms.candidate, 99, 1, 100);
    EXPECT_FALSE(canary.tick(arms.control, arms.candidate, Timestamp{700s}));
    arms.send(arms.candidate, 1, 1, 100);
    EXPECT_TRUE(canary.tick(arms.control, arms.candidate, Timestamp{701s}));
    // Nor do they if it is the control that has none.
    Canary other(options(), {});
    Arms lonely;
    EXPECT_EQ(play(other, lonely, {.per_second = 0}, {.failing = 1}, 600), "");
}

TEST(Canary, AFailingControlDoesNotCondemnTheCandidate) {
    Canary canary(options(), {});
    Arms arms;
    EXPECT_EQ(play(canary, arms, {.failing = 0.3}, {.failing = 0.3}, 600).find("rolled_back"), std::string::npos);
}

TEST(Canary, WhatIsNotClearIsWatchedLonger) {
    Canary canary(options(), {});
    Arms arms;
    // Three failures in a hundred more than the one allowed: too many to go on, too few to be sure at once.
    arms.send(arms.control, 100, 0, 100);
    arms.send(arms.candidate, 98, 0, 100);
    arms.send(arms.candidate, 4, 1, 100);
    EXPECT_FALSE(canary.tick(arms.control, arms.candidate, Timestamp{120s}));
    EXPECT_EQ(canary.last_judgement().finding, Finding::Unclear);
    arms.send(arms.control, 900, 0, 100);
    arms.send(arms.candidate, 900, 0, 100);
    EXPECT_TRUE(canary.tick(arms.control, arms.candidate, Timestamp{121s}));
    EXPECT_EQ(canary.state().phase, CanaryPhase::Observing);
}

// Looking again and again must not find a difference where none is: two arms alike, at the bound of what is allowed.
TEST(Canary, FalseAlarmsAreAsRareAsPromised) {
    int alarms = 0;
    constexpr int kRuns = 300;
    for (int run = 0; run < kRuns; ++run) {
        Canary canary(options(), {});
        Arms arms;
        arms.random.seed(static_cast<unsigned>(run + 1));
        const auto seen = play(canary, arms, {.failing = 0.05}, {.failing = 0.06}, 59);
        alarms += seen.find("rolled_back") != std::string::npos ? 1 : 0;
    }
    EXPECT_LE(alarms, kRuns * 0.01 + 3);
}

TEST(Canary, ByHand) {
    Canary canary(options(), {});
    ASSERT_TRUE(canary.pause("lunch", Timestamp{1s}));
    EXPECT_EQ(canary.candidate_percent(), 5);
    Arms arms;
    EXPECT_EQ(play(canary, arms, {}, {.failing = 1}, 600), "") << "a paused one is not judged";
    EXPECT_FALSE(canary.pause("again", Timestamp{2s}));
    ASSERT_TRUE(canary.resume("back", Timestamp{3s}));
    ASSERT_TRUE(canary.promote("sure", Timestamp{4s}));
    EXPECT_EQ(canary.candidate_percent(), 100);
    EXPECT_FALSE(canary.resume("?", Timestamp{5s}));
    ASSERT_TRUE(canary.roll_back("no", Timestamp{6s}));
    EXPECT_EQ(canary.candidate_percent(), 0);
    canary.restart("once more", Timestamp{7s});
    EXPECT_EQ(canary.candidate_percent(), 5);
    EXPECT_EQ(canary.state().phase, CanaryPhase::Observing);
}

TEST(TimeBuckets, QuantilesWithinSixPercent) {
    TimeBuckets times;
    EXPECT_EQ(times.quantile(0.5), 0);
    for (int i = 1; i <= 1000; ++i) times.add(i * kMs);
    EXPECT_NEAR(times.quantile(0.5), 0.5, 0.03);
    EXPECT_NEAR(times.quantile(0.95), 0.95, 0.06);
    times.add(-1);
    times.add(std::int64_t{1} << 62);
    EXPECT_EQ(times.count(), 1002);
}

}  // namespace
}  // namespace stoker::gateway
