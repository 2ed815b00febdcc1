#include "gateway/upstream/breaker.h"

#include <gtest/gtest.h>

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;

// Plays one step a second and returns the states as text: '-' closed, 'O' open, 'h' half open. The steps: 'x' a request
// failed, '+' one went well, '.' nothing happens. While it is open, 'x' and '+' are the trial if one is due and nothing
// if none is; '?' is a trial of which nothing follows.
class Player {
public:
    explicit Player(BreakerOptions options) : breaker_(options) {}

    std::string play(std::string_view script) {
        std::string states;
        for (const char step : script) {
            now_ += 1s;
            breaker_.on_tick(totals_, now_);
            if (step != '.') request(step);
            states += "-Oh"[static_cast<int>(breaker_.state())];
        }
        return states;
    }

    Breaker& breaker() { return breaker_; }
    SteadyTime now() const { return now_; }
    const std::vector<Breaker::Opening>& openings() const { return openings_; }

private:
    void request(char how) {
        if (breaker_.state() == Breaker::State::Closed) return closed(how);
        if (!breaker_.claim_trial(now_)) return;
        EXPECT_FALSE(breaker_.claim_trial(now_)) << "a second trial";
        if (how == '+') breaker_.trial_succeeded(now_);
        if (how == 'x') openings_.push_back(breaker_.trial_failed("http_503", now_));
        if (how == '?') breaker_.trial_said_nothing(now_);
    }

    void closed(char how) {
        ++totals_.requests;
        if (how == '+') return breaker_.on_success();
        ++totals_.failures;
        if (auto opening = breaker_.on_failure("http_503", totals_, now_)) openings_.push_back(*std::move(opening));
    }

    Breaker breaker_;
    FinishedTotals totals_;
    SteadyTime now_{1h};
    std::vector<Breaker::Opening> openings_;
};

std::string play(std::string_view script,
                 BreakerOptions options = {.consecutive = 3, .open_for = 4s, .open_max = 60s}) {
    return Player(options).play(script);
}

TEST(Breaker, FailuresInARowOpenIt) {
    EXPECT_EQ(play("xx+xx+xxx"), "--------O");
    EXPECT_EQ(play("xxxxxxxxxxx", {.consecutive = 0}), "-----------");
}

TEST(Breaker, OneTrialClosesItOrOpensItForTwiceAsLong) {
    EXPECT_EQ(play("xxx...+"), "--OOOO-");
    EXPECT_EQ(play("xxx++++"), "--OOOO-");
    //              opened     4 s: fails  8 s: fails      16 s: well
    EXPECT_EQ(play("xxx...x"
                   ".......x"
                   "...............+"),
              "--OOOOO"
              "OOOOOOOO"
              "OOOOOOOOOOOOOOO-");
}

TEST(Breaker, ATrialThatSaysNothingLeavesItToTheNext) {
    EXPECT_EQ(play("xxx...??+"), "--OOOOOO-");
}

TEST(Breaker, FlappingIsForgottenAfterTheLongestTime) {
    Player player({.consecutive = 3, .open_for = 4s, .open_max = 60s});
    player.play("xxx...+xxx");
    EXPECT_EQ(player.breaker().open_until() - player.now(), 8s);
    player.play(std::string(7, '.') + "+" + std::string(61, '+') + "xxx");
    EXPECT_EQ(player.breaker().open_until() - player.now(), 4s);
}

TEST(Breaker, OpenTimesAreBounded) {
    Player player({.consecutive = 1, .open_for = 4s, .open_max = 10s});
    for (int i = 0; i < 200; ++i) {
        player.play("x");
        ASSERT_LE(player.breaker().open_until() - player.now(), 10s);
    }
}

TEST(Breaker, AShareOfTheWindowOpensIt) {
    const BreakerOptions options{.consecutive = 0, .failure_share = 0.5, .min_requests = 8, .window = 20s};
    EXPECT_EQ(play("+x+x+x+x", options), "-------O");
    EXPECT_EQ(play("+x+x+x+", options), "-------") << "too few";
    EXPECT_EQ(play("++x+x+x+x+xx", options), "-----------O");
    EXPECT_EQ(play("+++x+++x+++x+++x+++x", options), std::string(20, '-'));
    // What is older than the window does not count.
    EXPECT_EQ(play("++x+x+x+x+" + std::string(25, '.') + "x", options), std::string(36, '-'));
}

TEST(Breaker, SaysWhyItOpened) {
    Player player({.consecutive = 3, .open_for = 4s});
    player.play("xxx...x");
    ASSERT_EQ(player.openings().size(), 2u);
    EXPECT_EQ(player.openings()[0].reason, "3 requests in a row failed");
    EXPECT_EQ(player.openings()[0].evidence,
              (std::vector<std::string>{"the last: http_503", "it is tried again in 4s"}));
    EXPECT_EQ(player.openings()[1].reason, "it failed again when it was tried");
    EXPECT_EQ(player.openings()[1].evidence[1], "it is tried again in 8s, opened 2 times of late");
}

TEST(Breaker, ComesBackWithAGrowingShare) {
    Player player({.consecutive = 1, .open_for = 1s, .slow_start = 10s});
    EXPECT_EQ(player.breaker().weight(player.now()), 1);
    player.play("x+");
    EXPECT_DOUBLE_EQ(player.breaker().weight(player.now()), 0.1);
    EXPECT_DOUBLE_EQ(player.breaker().weight(player.now() + 5s), 0.5);
    EXPECT_DOUBLE_EQ(player.breaker().weight(player.now() + 10s), 1);
}

}  // namespace
}  // namespace stoker::gateway
