// A limiter's way between a shared count and its own part of the limits. Time is made up, so every number is exact.
#include <gtest/gtest.h>

#include "gateway/limit/limiter.h"
#include "gateway/limit/shared_script.h"

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNoon{Duration{1'700'049'600'000}};  // 2023-11-15 12:00 UTC
constexpr std::int64_t kToday = 19'676;

Moment at(Duration offset) {
    return {.steady = SteadyTime{1h} + offset, .wall = kNoon + offset};
}

LimitAsk from(std::string_view tenant, std::int64_t tokens = 0) {
    return {.tenant = tenant, .tokens = tokens};
}

class SharedLimiter : public testing::Test {
protected:
    SharedLimiter() {
        LimitsOptions options;
        options.each_tenant = {.requests_per_minute = 12, .concurrent_requests = 6, .tokens_per_day = 1'000};
        limiter_.set(options);
    }

    // How many of `count` requests are admitted, and end at once with `used` tokens.
    int admitted(int count, Duration when, std::int64_t used = 0) {
        int good = 0;
        for (int i = 0; i < count; ++i) {
            const auto verdict = limiter_.reserve(from("a"), at(when));
            if (verdict.refusal) continue;
            ++good;
            (void)limiter_.settle(verdict.reservation, used, true, at(when));
        }
        return good;
    }
    // What the shared count answers to a request of "a".
    LimitVerdict told(bool yes, const SharedCount& count, Duration when) {
        return limiter_.decided(from("a"), limiter_.claims(from("a")), {count}, yes, at(when));
    }
    LimitLine line(LimitKind kind, Duration when) {
        for (const LimitLine& each : limiter_.report(at(when)).lines) {
            if (each.kind == kind) return each;
        }
        return {};
    }

    Limiter limiter_;
};

TEST_F(SharedLimiter, AloneItHasItsPartOfEveryLimit) {
    limiter_.go_alone(1.0 / 3, at(0s));
    EXPECT_EQ(admitted(10, 0s), 4);
    EXPECT_EQ(limiter_.reserve(from("a"), at(0s)).refusal->retry_after, 15s);
    EXPECT_EQ(admitted(10, 15s), 1);
    EXPECT_EQ(line(LimitKind::Concurrent, 15s).limit, 2);
    EXPECT_EQ(line(LimitKind::DayTokens, 15s).limit, 333);
}

TEST_F(SharedLimiter, WhatTheSharedCountSaysIsWhatItShows) {
    EXPECT_TRUE(limiter_.share(at(0s)).empty());
    const auto verdict = told(true, {.requests = 9, .day = kToday, .day_used = 700, .concurrent = 4}, 0s);
    EXPECT_FALSE(verdict.refusal);
    EXPECT_EQ(verdict.views.requests->remaining, 3);
    EXPECT_EQ(line(LimitKind::Concurrent, 0s).used, 4);
    EXPECT_EQ(line(LimitKind::DayTokens, 0s).used, 700);
    const auto refused = told(false, {.requests = 12, .day = kToday, .day_used = 700, .concurrent = 4}, 0s);
    ASSERT_TRUE(refused.refusal);
    EXPECT_EQ(refused.refusal->kind, LimitKind::Requests);
    EXPECT_EQ(refused.refusal->retry_after, 5s);
    EXPECT_FALSE(refused.reservation.any());
}

TEST_F(SharedLimiter, OfWhatWasSharedItGoesOnWithItsPart) {
    (void)limiter_.share(at(0s));
    const auto verdict = told(true, {.requests = 6, .day = kToday, .day_used = 400, .concurrent = 1}, 0s);
    (void)limiter_.settle(verdict.reservation, 0, true, at(0s));
    limiter_.go_alone(0.5, at(0s));
    EXPECT_EQ(admitted(10, 0s), 3);  // Half of the six that were left.
    EXPECT_EQ(line(LimitKind::DayTokens, 0s).remaining, 300);
}

TEST_F(SharedLimiter, BackAgainItTellsWhatItSawAndWhatItDidAlone) {
    (void)limiter_.share(at(0s));
    const auto held = told(true, {.requests = 6, .day = kToday, .day_used = 400, .concurrent = 1}, 0s);
    limiter_.go_alone(0.5, at(0s));
    EXPECT_EQ(admitted(2, 10s, 7), 2);
    EXPECT_EQ(limiter_.take_changed_days(at(10s)).at(0).used, 414);
    const auto owns = limiter_.share(at(10s));
    ASSERT_EQ(owns.size(), 1u);
    EXPECT_EQ(owns[0].claim.name, "a");
    EXPECT_NEAR(owns[0].seen.requests, 4, 1e-6);  // Drained by two in ten seconds.
    EXPECT_NEAR(owns[0].alone.requests, 2, 1e-6);
    EXPECT_EQ(owns[0].seen.day_used, 400);
    EXPECT_EQ(owns[0].alone.day_used, 14);
    EXPECT_EQ(owns[0].alone.concurrent, 1);
    // The one under way was among what was told: its end is told in full.
    const auto ends = limiter_.settle(held.reservation, 5, true, at(10s));
    ASSERT_EQ(ends.size(), 1u);
    EXPECT_EQ(ends[0].concurrent, -1);
    EXPECT_EQ(ends[0].used, 5);
}

TEST_F(SharedLimiter, WhatWasAdmittedBesideTheSharedCountIsAddedAtItsEnd) {
    (void)limiter_.share(at(0s));
    const auto verdict = limiter_.reserve(from("a", 20), at(0s));  // It had been asked in vain.
    const auto ends = limiter_.settle(verdict.reservation, 5, true, at(0s));
    ASSERT_EQ(ends.size(), 1u);
    EXPECT_EQ(ends[0].requests, 1);
    EXPECT_EQ(ends[0].tokens, 5);
    EXPECT_EQ(ends[0].concurrent, 0);
    EXPECT_EQ(ends[0].reserved, 0);
}

TEST_F(SharedLimiter, DaysOfARunBeforeAreNotCountedTwice) {
    limiter_.restore({{LimitScope::Tenant, "a", kToday, 400}}, at(0s));
    limiter_.go_alone(0.5, at(0s));
    (void)admitted(1, 0s, 9);
    const auto owns = limiter_.share(at(0s));
    ASSERT_EQ(owns.size(), 1u);
    EXPECT_EQ(owns[0].seen.day_used, 400);
    EXPECT_EQ(owns[0].alone.day_used, 9);
}

TEST_F(SharedLimiter, AWholeLimiterAgainHasAllThatWasCounted) {
    limiter_.go_alone(0.5, at(0s));
    EXPECT_EQ(admitted(20, 0s), 6);
    limiter_.go_alone(1, at(0s));
    EXPECT_EQ(admitted(20, 0s), 6);
}

// Whatever N gateways saw last, once: after the fall they admit together what was left of it and no more.
TEST(SharedLimits, GatewaysThatFallTogetherAdmitWhatWasLeft) {
    for (const int gateways : {1, 2, 3, 7}) {
        for (const int used : {0, 1, 30, 59, 60}) {
            int admitted = 0;
            for (int i = 0; i < gateways; ++i) {
                Limiter limiter;
                LimitsOptions options;
                options.each_tenant = {.requests_per_minute = 60};
                limiter.set(options);
                (void)limiter.share(at(0s));
                (void)limiter.decided(from("a"), limiter.claims(from("a")),
                                      {{.requests = static_cast<double>(used), .day = kToday}}, used > 0, at(0s));
                limiter.go_alone(1.0 / gateways, at(0s));
                for (int k = 0; k < 100; ++k) admitted += !limiter.reserve(from("a"), at(0s)).refusal;
            }
            EXPECT_LE(admitted, 60 - used) << gateways << " gateways, " << used << " used";
            EXPECT_GT(admitted, 60 - used - gateways) << gateways << " gateways, " << used << " used";
        }
    }
}

net::RedisValue text(std::string value) {
    net::RedisValue made;
    made.kind = net::RedisValue::Kind::Text;
    made.text = std::move(value);
    return made;
}

net::RedisValue list(const std::vector<std::string>& values) {
    net::RedisValue made;
    made.kind = net::RedisValue::Kind::List;
    for (const std::string& value : values) made.list.push_back(text(value));
    return made;
}

TEST(SharedScript, AnswersAreReadOrRefused) {
    const auto verdict = shared_script::read_verdict(
        list({"1", "2.500000", "7.000000", "19676.000000", "400.000000", "20.000000", "3.000000"}));
    ASSERT_TRUE(verdict);
    EXPECT_TRUE(verdict->admitted);
    ASSERT_EQ(verdict->counts.size(), 1u);
    EXPECT_EQ(verdict->counts[0].requests, 2.5);
    EXPECT_EQ(verdict->counts[0].day, kToday);
    EXPECT_EQ(verdict->counts[0].concurrent, 3);
    net::RedisValue error = text("OOM command not allowed");
    error.kind = net::RedisValue::Kind::Error;
    EXPECT_EQ(shared_script::read_verdict(error).error().code, Errc::Unavailable);
    EXPECT_EQ(shared_script::read_verdict(list({"unknown"})).error().code, Errc::Unavailable);
    for (const auto& bad :
         {list({}), list({"1", "2"}), list({"x"}), list({"1", "nan", "1", "1", "1", "1", "1"}), text("1")}) {
        EXPECT_EQ(shared_script::read_verdict(bad).error().code, Errc::Corruption);
    }
    EXPECT_EQ(shared_script::read_presence(list({"1700049600.250000", "3"}))->time, kNoon + 250ms);
}

}  // namespace
}  // namespace stoker::gateway
