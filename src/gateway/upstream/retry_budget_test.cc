#include "gateway/upstream/retry_budget.h"

#include <gtest/gtest.h>

#include "gateway/upstream/engine_progress.h"
#include "gateway/upstream/retry_after.h"

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;

int taken(RetryBudget& budget, SteadyTime now, int asked = 1000) {
    int count = 0;
    for (int i = 0; i < asked; ++i) count += budget.take(now) ? 1 : 0;
    return count;
}

TEST(RetryBudget, IsAShareOfTheRequestsAndAFewMore) {
    const SteadyTime now{1h};
    RetryBudget budget;
    budget.set(0.2, 0.5);
    EXPECT_EQ(taken(budget, now), 5);
    for (int i = 0; i < 100; ++i) budget.note_request(now + 3s);
    EXPECT_EQ(taken(budget, now + 3s), 20);
    EXPECT_EQ(taken(budget, now + 9s), 0);
    // Ten seconds after them the first five are forgotten, and so are the requests three seconds later.
    EXPECT_EQ(taken(budget, now + 10s), 5);
    EXPECT_EQ(taken(budget, now + 13s), 0) << "five were taken within the window";
    EXPECT_EQ(taken(budget, now + 1h), 5);
}

TEST(RetryBudget, MayBeNothing) {
    RetryBudget budget;
    budget.set(0, 0);
    for (int i = 0; i < 100; ++i) budget.note_request(SteadyTime{1h});
    EXPECT_EQ(taken(budget, SteadyTime{1h}), 0);
}

TEST(RetryAfter, InSeconds) {
    const Timestamp now = from_millis(784'111'777'000);
    EXPECT_EQ(parse_retry_after(" 7 ", now), 7s);
    EXPECT_EQ(parse_retry_after("0", now), 0s);
    EXPECT_EQ(parse_retry_after("86400", now), 3600s);
    for (const std::string_view odd :
         {"", "-1", "soon", "7 s", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 08:49:37 GMT+2"}) {
        EXPECT_FALSE(parse_retry_after(odd, now)) << odd;
    }
    EXPECT_FALSE(parse_retry_after({}, now));
}

TEST(RetryAfter, AsEachFormOfAnHttpDate) {
    const Timestamp now = from_millis(784'111'777'000);  // Sun, 06 Nov 1994 08:49:37 GMT
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:07 GMT", now), 30s);
    EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:50:07 GMT", now), 30s);
    EXPECT_EQ(parse_retry_after("Sun Nov  6 08:50:07 1994", now), 30s);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), 0s);
    EXPECT_EQ(parse_retry_after("Sat, 05 Nov 1994 08:49:37 GMT", now), 0s) << "in the past";
    EXPECT_EQ(parse_retry_after("Mon, 06 Nov 1995 08:49:37 GMT", now), 3600s) << "much later";
}

EngineLoad load(SteadyTime at, std::int64_t tokens, double running) {
    EngineLoad made;
    made.at = at;
    made.tokens = tokens;
    made.running = running;
    return made;
}

TEST(EngineProgress, StandsStillWhileItHasWorkAndNoTokens) {
    const SteadyTime start{1h};
    EngineProgress progress;
    EXPECT_FALSE(progress.still_for(start));
    progress.note(load(start, 100, 3));
    progress.note(load(start + 5s, 100, 3));
    EXPECT_EQ(progress.still_for(start + 6s), 5s);
    progress.note(load(start + 10s, 101, 3));
    EXPECT_EQ(progress.still_for(start + 11s), 0s);
    progress.note(load(start + 15s, 101, 0));
    EXPECT_EQ(progress.still_for(start + 16s), 0s) << "it has nothing to do";
    progress.note(load(start + 20s, 101, 1));
    EXPECT_EQ(progress.still_for(start + 21s), 5s);
    EXPECT_FALSE(progress.still_for(start + 80s)) << "too old";
}

TEST(EngineProgress, NothingIsKnownOfEnginesThatDoNotCount) {
    EngineProgress progress;
    progress.note(load(SteadyTime{1h}, -1, 3));
    EXPECT_FALSE(progress.still_for(SteadyTime{1h}));
}

}  // namespace
}  // namespace stoker::gateway
