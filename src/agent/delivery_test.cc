#include "agent/delivery.h"

#include <gtest/gtest.h>

namespace stoker::agent {
namespace {

using collect::SendAnswer;
using collect::SendOutcome;
using std::chrono::seconds;
using Settled = Delivery::Settled;

constexpr SteadyTime kStart = SteadyTime{} + std::chrono::hours(1);
constexpr SendAnswer kSent{.outcome = SendOutcome::Sent};
constexpr SendAnswer kTryAgain{.outcome = SendOutcome::TryAgain};
constexpr SendAnswer kBad{.outcome = SendOutcome::Refused, .worth_parting = true};

double after(const Delivery& delivery, SteadyTime now, bool backlog = false) {
    return std::chrono::duration<double>(delivery.next_send(backlog) - now).count();
}

TEST(AgentDelivery, SendsEveryIntervalAndABacklogAtOnce) {
    Delivery delivery({.interval = seconds(5), .catch_up = 1000}, kStart);
    EXPECT_LE(after(delivery, kStart), 0);  // The first one goes at once.
    EXPECT_EQ(delivery.answered(kSent, 100, 5, kStart, 0), Settled::Taken);
    EXPECT_DOUBLE_EQ(after(delivery, kStart), 5);
    EXPECT_DOUBLE_EQ(after(delivery, kStart, true), 0.1);  // 100 samples are worth 100 ms.
}

TEST(AgentDelivery, TriesAgainWithPausesThatDouble) {
    Delivery delivery({.min_backoff = seconds(1), .max_backoff = seconds(4)}, kStart);
    SteadyTime now = kStart;
    for (const double pause : {1.0, 2.0, 4.0, 4.0}) {
        EXPECT_EQ(delivery.answered(kTryAgain, 10, 1, now, 0.999999), Settled::Waits);
        EXPECT_NEAR(after(delivery, now), pause, 0.01);
        now = delivery.next_send(false);
    }
    EXPECT_TRUE(delivery.failing());
    delivery.answered({.outcome = SendOutcome::TryAgain, .retry_after = seconds(40)}, 10, 1, now, 0);
    EXPECT_DOUBLE_EQ(after(delivery, now), 40);
    delivery.answered({.outcome = SendOutcome::TryAgain, .retry_after = seconds(40'000)}, 10, 1, now, 0);
    EXPECT_DOUBLE_EQ(after(delivery, now), 300);
    delivery.answered(kSent, 10, 1, now, 0);
    EXPECT_FALSE(delivery.failing());
    delivery.answered(kTryAgain, 10, 1, now, 0);
    EXPECT_DOUBLE_EQ(after(delivery, now), 0.5);  // From the start again, with the other end of the spread.
}

TEST(AgentDelivery, AWholeRefusedForOneRecordLosesThatOne) {
    Delivery delivery({.most_records = 64}, kStart);
    // Records 0..63 wait, number 37 is bad. Plays it as the sender does.
    std::size_t next = 0;
    std::string dropped;
    int requests = 0;
    for (; next < 64 && requests < 100; ++requests) {
        const std::size_t end = std::min<std::size_t>(next + delivery.most_records(), 64);
        const bool bad = next <= 37 && 37 < end;
        const auto settled = delivery.answered(bad ? kBad : kSent, end - next, end - next, kStart, 0);
        if (settled == Settled::Dropped) dropped += std::to_string(next) + "-" + std::to_string(end - 1);
        if (settled != Settled::Waits) next = end;
    }
    EXPECT_EQ(dropped, "37-37");
    EXPECT_LT(requests, 20);
    EXPECT_EQ(delivery.most_records(), 64u);
}

TEST(AgentDelivery, WhatSmallerPartsCannotHelpIsDroppedAtOnce) {
    Delivery delivery({}, kStart);
    EXPECT_EQ(delivery.answered({.outcome = SendOutcome::Refused}, 100, 10, kStart, 0), Settled::Dropped);
}

TEST(AgentDelivery, FailsOverAndComesBack) {
    Delivery delivery({.destinations = 2,
                       .interval = seconds(5),
                       .min_backoff = seconds(1),
                       .max_backoff = seconds(1),
                       .switch_after = seconds(10),
                       .return_every = seconds(60)},
                      kStart);
    // One letter a request: which destination it went to; capital if that took it.
    std::string story;
    SteadyTime now = kStart;
    const auto play = [&](SteadyTime until, bool first_works, bool second_works) {
        while (delivery.next_send(false) < until) {
            now = std::max(now, delivery.next_send(false));
            const bool works = delivery.target() == 0 ? first_works : second_works;
            story += delivery.target() == 0 ? (works ? 'A' : 'a') : (works ? 'B' : 'b');
            delivery.answered(works ? kSent : kTryAgain, 10, 1, now, 0.999999);
        }
        now = until;
    };
    play(kStart + seconds(11), true, true);
    EXPECT_EQ(story, "AAA");
    story.clear();
    play(kStart + seconds(60), false, true);
    // Ten seconds of failures, then the same request at once to the other one.
    EXPECT_EQ(story, "aaaaaaaaaaaaBBBBBBB") << story;
    story.clear();
    play(kStart + seconds(200), false, true);
    // Once a minute the first is tried, and the request goes to the second all the same.
    EXPECT_EQ(std::count(story.begin(), story.end(), 'a'), 2) << story;
    EXPECT_NE(story.find("aB"), std::string::npos);
    EXPECT_EQ(story.find("aa"), std::string::npos);
    story.clear();
    play(kStart + seconds(300), true, true);
    EXPECT_NE(story.find("BA"), std::string::npos) << story;
    EXPECT_EQ(story.back(), 'A');
    EXPECT_EQ(story.find("AB"), std::string::npos);
}

TEST(AgentDelivery, BothAwayIsNotAFlood) {
    Delivery delivery({.destinations = 2, .switch_after = seconds(15)}, kStart);
    int requests = 0;
    for (SteadyTime now = kStart; now < kStart + std::chrono::hours(1); ++requests) {
        delivery.answered(kTryAgain, 10, 1, now, 0);
        now = std::max(delivery.next_send(true), now + std::chrono::milliseconds(1));
    }
    EXPECT_LT(requests, 3600);
}

}  // namespace
}  // namespace stoker::agent
