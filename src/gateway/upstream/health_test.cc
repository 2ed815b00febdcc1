#include "gateway/upstream/health.h"

#include <gtest/gtest.h>

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;

// Plays one observation per second and returns the states as text: 's' serving, 'D' down, 'H' hung, 'E' ejected, 'd'
// draining. The observations: '+' probe 200, '5' probe 503, 'x' probe refused, 't' probe timed out, '*' a real request
// was answered, 'r' a request's connection refused, 'c' one accepted, 'X' the process exited, '.' a tick of the
// watchdog, 'e' eject, 'a' readmit, 'd' drain, 'u' undrain. Before any: 'b' a byte comes first (in the same second),
// 'w' requests are outstanding from now on, 'f' streams flow, 'g' streams wait for their first byte, '0' nothing is
// outstanding, 'k' the engine's counters stand still, 'm' they move.
class Player {
public:
    std::string play(std::string_view script) {
        std::string states;
        for (const char step : script) {
            if (set_work(step)) continue;
            now_ += 1s;
            observe(step);
            states += "sDHEd"[static_cast<int>(health_.state())];
        }
        return states;
    }

    ReplicaHealth& health() { return health_; }
    const std::vector<Transition>& transitions() const { return transitions_; }

private:
    bool set_work(char step) {
        switch (step) {
            case 'b':
                work_.last_progress = now_ + 1s;
                return true;
            case 'w':
                work_ = {5, 0, 0, now_};
                return true;
            case 'f':
                work_ = {5, 5, 0, now_};
                return true;
            case 'g':
                work_ = {5, 0, 5, now_};
                return true;
            case '0':
                work_ = {};
                return true;
            case 'k':
                work_.counters_still = 2min;
                return true;
            case 'm':
                work_.counters_still = 0s;
                return true;
            default:
                return false;
        }
    }

    void observe(char step) {
        switch (step) {
            case '+':
                return note(health_.on_probe({ProbeResult::Healthy, "200 in 1 ms"}, work_, now_));
            case '*':
                return note(health_.on_probe({ProbeResult::Healthy, "answered", true}, work_, now_));
            case '5':
                return note(health_.on_probe({ProbeResult::Unwell, "503"}, work_, now_));
            case 'x':
                return note(health_.on_probe({ProbeResult::Refused, "connect_refused"}, work_, now_));
            case 't':
                return note(health_.on_probe({ProbeResult::TimedOut, "head_timeout"}, work_, now_));
            case 'r':
                return note(health_.on_connect_refused(now_));
            case 'c':
                return health_.on_connected();
            case 'X':
                return note(health_.on_exit_hint("exit status 139", now_));
            case '.':
                return note(health_.on_tick(work_, now_));
            case 'e':
                return note(health_.eject("restart"));
            case 'a':
                return note(health_.readmit());
            case 'd':
                return note(health_.drain("new driver"));
            case 'u':
                return note(health_.undrain());
            default:
                FAIL() << "no such step: " << step;
        }
    }

    void note(std::optional<Transition> transition) {
        if (transition) transitions_.push_back(*std::move(transition));
    }

    ReplicaHealth health_{HealthOptions{}};
    Work work_;
    SteadyTime now_{1h};
    std::vector<Transition> transitions_;
};

std::string play(std::string_view script) {
    return Player().play(script);
}

TEST(Health, OneFailedProbeIsNothing) {
    EXPECT_EQ(play("+x+5+t+"), "sssssss");
}
TEST(Health, TwoFailedProbesInARowAreDown) {
    EXPECT_EQ(play("+xx"), "ssD");
    EXPECT_EQ(play("+55"), "ssD");
    EXPECT_EQ(play("+x5"), "ssD");
}
TEST(Health, TwoRefusedRequestsAreDownWithoutAnyProbe) {
    EXPECT_EQ(play("rr"), "sD");
}
TEST(Health, AnAcceptedConnectionForgivesARefusedOne) {
    EXPECT_EQ(play("rcr"), "sss");
}
TEST(Health, ProcessExitIsDownAtOnce) {
    EXPECT_EQ(play("+X"), "sD");
}
TEST(Health, RecoversAfterTwoGoodProbes) {
    EXPECT_EQ(play("xx+x++"), "sDDDDs");
}

TEST(Health, TimeoutsWithoutWorkAreDown) {
    EXPECT_EQ(play("+tt"), "ssD");
}
TEST(Health, TimeoutsWithSilentWorkAreHung) {
    EXPECT_EQ(play("w+tt"), "ssH");
}
TEST(Health, TimeoutsWhileBytesFlowAreBusy) {
    EXPECT_EQ(play("w+btbtbtbtbt"), "ssssss");
}
TEST(Health, HungByTimeoutsRecoversByHealth) {
    EXPECT_EQ(play("wtt0++"), "sHHs");
}
TEST(Health, HungStaysHungWhenItsWorkIsGone) {
    EXPECT_EQ(play("wtt0ttt55"), "sHHHHHH");
}
TEST(Health, HungThenRefusedIsDown) {
    EXPECT_EQ(play("wtt0xx"), "sHDD");
}

TEST(Health, StalledStreamsAreHungThoughHealthIsFine) {
    EXPECT_EQ(play("f+++++++++++++."), "ssssssssssssss");  // 14 s of silence.
    EXPECT_EQ(play("f++++++++++++++."), "ssssssssssssssH");
}
TEST(Health, AnyByteOfAnyStreamIsProgress) {
    EXPECT_EQ(play("f++++++++++++b+++."), "ssssssssssssssss");
}
TEST(Health, WaitingForAFirstByteMayTakeLonger) {
    const std::string minute(60, '.');
    EXPECT_EQ(play("g" + minute), std::string(59, 's') + "H");
}
TEST(Health, WholeAnswersMayBeSilent) {
    EXPECT_EQ(play("w" + std::string(500, '.')), std::string(500, 's'));
}
TEST(Health, WholeAnswersMayNotBeSilentWhileTheCountersStandStill) {
    EXPECT_EQ(play("wk" + std::string(60, '.')), std::string(59, 's') + "H");
    EXPECT_EQ(play("wm" + std::string(500, '.')), std::string(500, 's'));
}
TEST(Health, CountersThatMoveProveThatTheSilenceIsNotTheEngines) {
    EXPECT_EQ(play("fm" + std::string(100, '.')), std::string(100, 's'));
    EXPECT_EQ(play("gm" + std::string(100, '.')), std::string(100, 's'));
    EXPECT_EQ(play("fk" + std::string(15, '.')), std::string(14, 's') + "H");
}
TEST(Health, FlappingMustBeWellForLonger) {
    EXPECT_EQ(play("xx++xx++++xx++++++++"), "sDDssDDDDssDDDDDDDDs");
    const std::string calm(300, '+');
    EXPECT_EQ(play("xx++xx++++" + calm + "xx++").substr(310), "sDDs");
}
TEST(Health, HungByStallIsNotOverBecauseHealthSaysSo) {
    Player player;
    player.play("f++++++++++++++.0");
    EXPECT_TRUE(player.health().needs_real_probe());
    EXPECT_EQ(player.play("++++"), "HHHH");
    EXPECT_EQ(player.play("*"), "s");
    EXPECT_FALSE(player.health().needs_real_probe());
}

TEST(Health, EjectedStaysWhateverIsSeen) {
    EXPECT_EQ(play("e+++xxrrX+++."),
              "EEEEEEEEEEEE"
              "E");
}
TEST(Health, ReadmittedServesWithCleanCounts) {
    EXPECT_EQ(play("exxxa+x+"), "EEEEssss");
}
TEST(Health, DownMayBeEjectedAndReadmitted) {
    EXPECT_EQ(play("xxexx++a+"), "sDEEEEEss");
}
TEST(Health, DrainingTakesNothingUntilUndrained) {
    EXPECT_EQ(play("+d+xx+u"), "sddddds");
}
TEST(Health, DrainingIsNotOverBecauseHealingIsDone) {
    EXPECT_EQ(play("+dxxexx++a+u+"), "sdddEEEEEddss");
    EXPECT_EQ(play("+da+"), "sddd");
    EXPECT_EQ(play("+ed+a+u"), "sEEEdds");
}
TEST(Health, WhatIsDownWhenItIsUndrainedIsDown) {
    EXPECT_EQ(play("+dxxu+++"), "sdddDDss");
    EXPECT_EQ(play("xxdu++"), "sDdDDs");
}
TEST(Health, DrainingTwiceIsOneChange) {
    Player player;
    player.play("+dduu");
    using Kind = ReplicaEvent::Kind;
    ASSERT_EQ(player.transitions().size(), 2u);
    EXPECT_EQ(player.transitions()[0].kind, Kind::Drained);
    EXPECT_EQ(player.transitions()[1].kind, Kind::Undrained);
}

TEST(Health, EachChangeIsToldOnceWithItsEvidence) {
    Player player;
    player.play("+rrrrxxxx++ea");
    using Kind = ReplicaEvent::Kind;
    std::vector<Kind> kinds;
    for (const auto& transition : player.transitions()) kinds.push_back(transition.kind);
    EXPECT_EQ(kinds, (std::vector<Kind>{Kind::Down, Kind::Recovered, Kind::Ejected, Kind::Readmitted}));
    EXPECT_EQ(player.transitions()[0].evidence[0], "2 connections refused in 1s");
    EXPECT_TRUE(player.transitions()[0].cut_requests);
}

TEST(Health, FailingProbesAloneDoNotCutStreams) {
    Player player;
    player.play("f55");
    ASSERT_EQ(player.transitions().size(), 1u);
    EXPECT_FALSE(player.transitions()[0].cut_requests);
}

TEST(Health, ProbesComeFasterAfterAFailure) {
    Player player;
    player.play("+");
    EXPECT_EQ(player.health().probe_delay(), 1000ms);
    player.play("x");
    EXPECT_EQ(player.health().probe_delay(), 500ms);
}

}  // namespace
}  // namespace stoker::gateway
