// Limits: meters, days, reservations, estimates. Time is made up, so every number is exact.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "gateway/limit/limit_meter.h"
#include "gateway/limit/limiter.h"
#include "gateway/limit/token_estimate.h"

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr Timestamp kNoon{Duration{1'700'049'600'000}};  // 2023-11-15 12:00 UTC

Moment at(Duration offset) {
    return {.steady = SteadyTime{1h} + offset, .wall = kNoon + offset};
}

TEST(Meter, FillsAndDrainsAtItsRate) {
    const MeterRate rate{.per_second = 10, .capacity = 100};
    Meter meter;
    EXPECT_EQ(meter.room(at(0s).steady, rate), 100);
    meter.add(100, at(0s).steady, rate);
    EXPECT_EQ(meter.room(at(0s).steady, rate), 0);
    EXPECT_EQ(meter.room(at(1s).steady, rate), 10);
    EXPECT_EQ(meter.wait_for(1, at(0s).steady, rate), 100ms);
    EXPECT_EQ(meter.wait_for(25, at(1s).steady, rate), 1500ms);
    EXPECT_EQ(meter.until_empty(at(4s).steady, rate), 6s);
    EXPECT_EQ(meter.room(at(1h).steady, rate), 100);
}

TEST(Meter, ADebtIsPaidByTimeAndARefundNeverMakesMoreThanFull) {
    const MeterRate rate{.per_second = 10, .capacity = 100};
    Meter meter;
    meter.add(150, at(0s).steady, rate);
    EXPECT_EQ(meter.room(at(0s).steady, rate), 0);
    EXPECT_EQ(meter.wait_for(1, at(0s).steady, rate), 5100ms);
    meter.add(-1000, at(1s).steady, rate);
    EXPECT_EQ(meter.room(at(1s).steady, rate), 100);
}

TEST(Meter, WhoeverWaitsAsLongAsToldIsAdmitted) {
    // Odd rates, so that nothing divides evenly.
    for (const double limit : {1.0, 7.0, 59.0, 61.0, 977.0, 123'457.0}) {
        const MeterRate rate{.per_second = limit / 60, .capacity = limit};
        Meter meter;
        SteadyTime now = at(0s).steady;
        meter.add(limit, now, rate);
        for (int i = 0; i < 1000; ++i) {
            const Duration wait = meter.wait_for(1, now, rate);
            now += wait;
            ASSERT_EQ(meter.wait_for(1, now, rate), 0ms) << limit << " after " << i;
            meter.add(1, now, rate);
        }
    }
}

LimitsOptions tenant_limits(LimitSet set) {
    LimitsOptions options;
    options.each_tenant = set;
    return options;
}

LimitAsk from(std::string_view tenant, std::int64_t tokens = 10) {
    return {.tenant = tenant, .key = "k", .model = "tiny", .tokens = tokens};
}

// Asks `count` times and writes + for admitted, and the kind's first letter for refused.
std::string play(Limiter& limiter, const LimitAsk& ask, int count, Duration when) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        const auto verdict = limiter.reserve(ask, at(when));
        text += verdict.refusal ? to_string(verdict.refusal->kind).substr(0, 1) : "+";
    }
    return text;
}

TEST(Limiter, NoLimitsNoCounting) {
    Limiter limiter;
    EXPECT_FALSE(limiter.active());
    limiter.set(tenant_limits({.requests_per_minute = 1}));
    EXPECT_TRUE(limiter.active());
    EXPECT_EQ(play(limiter, from(""), 3, 0s), "+++");  // Nobody's limits.
    limiter.set({});
    EXPECT_FALSE(limiter.active());
}

TEST(Limiter, RequestsPerMinuteByTenant) {
    Limiter limiter;
    limiter.set(tenant_limits({.requests_per_minute = 3}));
    EXPECT_EQ(play(limiter, from("a"), 5, 0s), "+++rr");
    EXPECT_EQ(play(limiter, from("b"), 4, 0s), "+++r");
    const auto refused = limiter.reserve(from("a"), at(0s));
    ASSERT_TRUE(refused.refusal);
    EXPECT_EQ(refused.refusal->retry_after, 20s);
    EXPECT_EQ(refused.refusal->name, "a");
    EXPECT_EQ(refused.refusal->limit, 3);
    EXPECT_EQ(refused.refusal->used, 3);
    EXPECT_EQ(play(limiter, from("a"), 2, 20s), "+r");
    EXPECT_EQ(play(limiter, from("a"), 5, 200s), "+++rr");
}

TEST(Limiter, ABurstShorterThanAMinuteSpreadsRequests) {
    Limiter limiter;
    auto options = tenant_limits({.requests_per_minute = 60});
    options.burst = 5s;
    limiter.set(options);
    EXPECT_EQ(play(limiter, from("a"), 7, 0s), "+++++rr");
    EXPECT_EQ(play(limiter, from("a"), 2, 1s), "+r");
}

TEST(Limiter, TokensAreReservedAndCorrected) {
    Limiter limiter;
    limiter.set(tenant_limits({.tokens_per_minute = 600}));
    const auto first = limiter.reserve(from("a", 500), at(0s));
    ASSERT_FALSE(first.refusal);
    EXPECT_EQ(first.views.tokens->remaining, 100);
    const auto second = limiter.reserve(from("a", 200), at(0s));
    ASSERT_TRUE(second.refusal);
    EXPECT_EQ(second.refusal->reserved, 500);
    EXPECT_EQ(second.refusal->used, 0);
    EXPECT_EQ(second.refusal->asked, 200);
    EXPECT_EQ(second.refusal->retry_after, 10s);
    // Only what was used is kept.
    limiter.settle(first.reservation, 50, true, at(0s));
    const auto third = limiter.reserve(from("a", 500), at(0s));
    ASSERT_FALSE(third.refusal);
    EXPECT_EQ(third.views.tokens->remaining, 50);
    // More than reserved: a debt.
    limiter.settle(third.reservation, 610, true, at(0s));
    EXPECT_EQ(limiter.reserve(from("a", 1), at(0s)).refusal->retry_after, 6100ms);
    EXPECT_EQ(limiter.views(third.reservation, {}, at(0s)).tokens->reset, 66s);
}

TEST(Limiter, WhatNeverReachedAnEngineGivesEverythingBack) {
    Limiter limiter;
    limiter.set(tenant_limits(
        {.requests_per_minute = 1, .tokens_per_minute = 100, .concurrent_requests = 1, .tokens_per_day = 100}));
    for (int i = 0; i < 10; ++i) {
        const auto verdict = limiter.reserve(from("a", 100), at(0s));
        ASSERT_FALSE(verdict.refusal) << i;
        EXPECT_EQ(limiter.report(at(0s)).lines[3].remaining, 0);
        limiter.settle(verdict.reservation, 0, false, at(0s));
    }
    for (const LimitLine& line : limiter.report(at(0s)).lines) EXPECT_EQ(line.remaining, line.limit);
}

TEST(Limiter, AllOrNothingOverAllThatApply) {
    Limiter limiter;
    LimitsOptions options;
    options.global = {.requests_per_minute = 100};
    options.each_tenant = {.requests_per_minute = 100};
    options.each_key = {.concurrent_requests = 2};
    options.models["tiny"] = {.tokens_per_minute = 1000};
    limiter.set(options);
    EXPECT_EQ(play(limiter, from("a"), 5, 0s), "++ccc");
    for (const LimitLine& line : limiter.report(at(0s)).lines) {
        const std::int64_t each = line.kind == LimitKind::Tokens ? 10 : 1;
        EXPECT_EQ(line.limit - line.remaining, 2 * each) << to_string(line.scope);
    }
}

TEST(Limiter, TheLongestWaitIsTold) {
    Limiter limiter;
    LimitsOptions options;
    options.global = {.requests_per_minute = 60};
    options.each_tenant = {.requests_per_minute = 2};
    limiter.set(options);
    EXPECT_EQ(play(limiter, from("a"), 2, 0s), "++");
    EXPECT_EQ(limiter.reserve(from("a"), at(0s)).refusal->scope, LimitScope::Tenant);
    EXPECT_EQ(limiter.reserve(from("a"), at(0s)).refusal->retry_after, 30s);
}

TEST(Limiter, ARequestLargerThanItsLimitIsAdmittedAloneAndPaysItsDebt) {
    Limiter limiter;
    limiter.set(tenant_limits({.tokens_per_minute = 60}));
    const auto small = limiter.reserve(from("a", 1), at(0s));
    EXPECT_EQ(limiter.reserve(from("a", 100'000), at(0s)).refusal->retry_after, 1s);
    const auto large = limiter.reserve(from("a", 100'000), at(1s));
    ASSERT_FALSE(large.refusal);
    limiter.settle(large.reservation, 120, true, at(1s));
    EXPECT_EQ(limiter.reserve(from("a", 1), at(1s)).refusal->retry_after, 61s);
}

TEST(Limiter, TokensPerDayEndAtMidnightAndAreKept) {
    Limiter limiter;
    const auto options = tenant_limits({.tokens_per_day = 1000});
    limiter.set(options);
    const auto first = limiter.reserve(from("a", 900), at(0s));
    limiter.settle(first.reservation, 700, true, at(0s));
    const auto refused = limiter.reserve(from("a", 400), at(1h));
    ASSERT_TRUE(refused.refusal);
    EXPECT_EQ(refused.refusal->kind, LimitKind::DayTokens);
    EXPECT_EQ(refused.refusal->retry_after, 11h);
    EXPECT_EQ(refused.refusal->used, 700);

    const auto days = limiter.take_changed_days(at(1h));
    ASSERT_EQ(days.size(), 1u);
    EXPECT_TRUE(limiter.take_changed_days(at(1h)).empty());
    Limiter next_run;
    next_run.set(options);
    next_run.restore(days, at(2h));
    EXPECT_TRUE(next_run.reserve(from("a", 400), at(2h)).refusal);
    EXPECT_FALSE(next_run.reserve(from("a", 300), at(2h)).refusal);
    Limiter tomorrow;
    tomorrow.set(options);
    tomorrow.restore(days, at(12h));
    EXPECT_FALSE(tomorrow.reserve(from("a", 1000), at(12h)).refusal);
    EXPECT_FALSE(limiter.reserve(from("a", 1000), at(12h)).refusal);
}

TEST(Limiter, WhatRunsOverMidnightCountsForTheDayOnWhichItEnds) {
    Limiter limiter;
    limiter.set(tenant_limits({.tokens_per_day = 1000}));
    const auto over = limiter.reserve(from("a", 600), at(11h + 59min));
    EXPECT_TRUE(limiter.reserve(from("a", 500), at(12h)).refusal);
    limiter.settle(over.reservation, 100, true, at(12h));
    EXPECT_FALSE(limiter.reserve(from("a", 900), at(12h)).refusal);
}

TEST(Limiter, AReloadKeepsWhatIsCounted) {
    Limiter limiter;
    limiter.set(tenant_limits({.requests_per_minute = 10}));
    EXPECT_EQ(play(limiter, from("a"), 10, 0s), "++++++++++");
    limiter.set(tenant_limits({.requests_per_minute = 12}));
    EXPECT_EQ(play(limiter, from("a"), 3, 0s), "++r");
    LimitsOptions named = tenant_limits({.requests_per_minute = 12});
    named.tenants["a"] = {};  // Lifted for this one.
    limiter.set(named);
    EXPECT_EQ(play(limiter, from("a"), 3, 0s), "+++");
}

TEST(Limiter, TheLedgerOfRefusalsIsBoundedAndNewestFirst) {
    Limiter limiter;
    limiter.set(tenant_limits({.requests_per_minute = 1}));
    LimitAsk ask = from("a");
    for (int i = 0; i < 400; ++i) {
        const std::string id = "req_" + std::to_string(i);
        ask.request_id = id;
        (void)limiter.reserve(ask, at(0s));
    }
    const auto report = limiter.report(at(0s));
    ASSERT_EQ(report.refused.size(), 256u);
    EXPECT_EQ(report.refused.front().request_id, "req_399");
    EXPECT_EQ(report.refused.front().refusal.used, 1);
}

TEST(Limiter, StrangersWithoutEndShareOneCount) {
    Limiter limiter;
    limiter.set(tenant_limits({.requests_per_minute = 1000}));
    for (int i = 0; i < 30'000; ++i) (void)limiter.reserve(from(std::to_string(i)), at(0s));
    EXPECT_LE(limiter.report(at(0s)).lines.size(), 20'001u);
    EXPECT_TRUE(limiter.reserve(from("one more"), at(0s)).refusal);
}

// One thousand requests at once from several threads, over and over: what is admitted is the limit, to the unit.
TEST(Limiter, ExactUnderThreads) {
    constexpr int kThreads = 8;
    constexpr int kEach = 2'000;
    Limiter limiter;
    LimitsOptions options;
    options.global = {.requests_per_minute = 5'000, .tokens_per_minute = 43'210};
    options.each_tenant = {.tokens_per_day = 9'999};
    options.each_key = {.concurrent_requests = 1'000};
    limiter.set(options);
    std::atomic<int> admitted{0};
    std::atomic<std::int64_t> tokens{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            const std::string tenant = "t" + std::to_string(t % 3);
            for (int i = 0; i < kEach; ++i) {
                const auto verdict = limiter.reserve(from(tenant, 7), at(0s));
                if (verdict.refusal) continue;
                ++admitted;
                const bool reached = i % 2 == 0;
                limiter.settle(verdict.reservation, reached ? 7 : 0, reached, at(0s));
                if (reached) tokens += 7;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    std::int64_t day_total = 0;
    for (const LimitLine& line : limiter.report(at(0s)).lines) {
        EXPECT_EQ(line.reserved, 0) << to_string(line.kind);
        EXPECT_LE(line.used, line.limit);
        if (line.kind == LimitKind::DayTokens) day_total += line.used;
        if (line.kind == LimitKind::Tokens) {
            EXPECT_EQ(line.used, tokens);
        }
        if (line.kind == LimitKind::Concurrent) {
            EXPECT_EQ(line.used, 0);
        }
    }
    EXPECT_EQ(day_total, tokens);
    EXPECT_GT(admitted, 1'000);
}

TEST(Limiter, AThousandAtOnceGetExactlyTheLimit) {
    Limiter limiter;
    LimitsOptions options;
    options.each_tenant = {.requests_per_minute = 137, .concurrent_requests = 500};
    limiter.set(options);
    std::atomic<int> admitted{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 125; ++i) admitted += limiter.reserve(from("a"), at(0s)).refusal ? 0 : 1;
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(admitted, 137);
}

TEST(TokenEstimator, LearnsFromWhatEnginesCount) {
    TokenEstimator estimator;
    EXPECT_EQ(estimator.estimate("tiny", 400, 50), 150);
    EXPECT_EQ(estimator.estimate("tiny", 400, {}), 356);
    for (int i = 0; i < 200; ++i) estimator.learn("tiny", 300, 100, 40);
    EXPECT_EQ(estimator.estimate("tiny", 300, 50), 150);
    EXPECT_EQ(estimator.estimate("tiny", 300, {}), 140);
    EXPECT_EQ(estimator.estimate("other", 400, 50), 150);
}

TEST(TokenEstimator, PicturesAndNonsenseTeachNothing) {
    TokenEstimator estimator;
    for (int i = 0; i < 100; ++i) estimator.learn("tiny", 1'000'000, 100, {});
    estimator.learn("tiny", 10, 0, -5);
    EXPECT_EQ(estimator.estimate("tiny", 400, 0), 100);
    EXPECT_EQ(estimator.estimate("tiny", 0, -7), 0);
    EXPECT_EQ(estimator.estimate("tiny", 0, std::int64_t{1} << 62), 100'000'000);
}

}  // namespace
}  // namespace stoker::gateway
