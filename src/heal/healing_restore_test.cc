#include <gtest/gtest.h>

#include "heal/healing_scene.h"

namespace stoker::heal {
namespace {

TEST(HealingMachine, RecoveryInTheMeantime) {
    {  // While the replica is being ejected: readmitted without a restart.
        Scene scene(policy());
        const Incident incident = scene.incident();
        scene.feed(scene.machine.opened(incident, scene.now));
        scene.feed(scene.machine.recovered(incident, "answers again", scene.now));
        EXPECT_EQ(scene.play(), "eject wait_healthy probe readmit");
        EXPECT_EQ(scene.ends_as(), "resolved");
    }
    {  // During the pause before another attempt.
        Scene scene(policy());
        const Incident incident = scene.incident();
        scene.script[Step::Restart] = times(1, StepStatus::Failed);
        scene.feed(scene.machine.opened(incident, scene.now));
        EXPECT_EQ(scene.play(scene.now + 1s), "eject restart!");
        scene.feed(scene.machine.recovered(incident, "answers again", scene.now));
        EXPECT_EQ(scene.play(), "wait_healthy probe readmit");
        EXPECT_EQ(scene.ends_as(), "resolved");
    }
    {  // A false report of recovery: the look disappoints, the next attempt comes.
        Scene scene(policy());
        const Incident incident = scene.incident();
        scene.script[Step::Restart] = times(1, StepStatus::Failed);
        scene.script[Step::WaitHealthy] = times(1, StepStatus::NotYet);
        scene.feed(scene.machine.opened(incident, scene.now));
        scene.play(scene.now + 1s);
        scene.feed(scene.machine.recovered(incident, "answers again", scene.now));
        EXPECT_EQ(scene.play(), "wait_healthy? eject restart wait_healthy probe readmit query");
        EXPECT_EQ(scene.ends_as(), "resolved");
    }
    {  // Our own restart shows as a recovery: the attempt goes on to its end.
        Scene scene(policy());
        const Incident incident = scene.incident();
        scene.script[Step::WaitHealthy] = times(50, StepStatus::NotYet);
        scene.feed(scene.machine.opened(incident, scene.now));
        scene.play(scene.now + 2s);
        scene.feed(scene.machine.recovered(incident, "answers again", scene.now));
        scene.play();
        EXPECT_EQ(scene.ends_as(), "resolved");
        EXPECT_TRUE(scene.said("Back to normal"));
    }
    {  // Escalated without a plan: over when it answers.
        Scene scene(policy());
        Incident incident = scene.incident();
        scene.fleet.replicas["chat/a"] = {true, false, false};
        scene.feed(scene.machine.opened(incident, scene.now));
        EXPECT_EQ(scene.ends_as(), "escalated");
        incident.status = IncidentStatus::Escalated;
        scene.feed(scene.machine.recovered(incident, "answers again", scene.now));
        EXPECT_EQ(scene.ends_as(), "resolved");
    }
}

// How an earlier process left it, what is done first, and how it ends.
TEST(HealingMachine, TakesUpWhatACrashLeft) {
    const Timestamp then = from_millis(990'000);
    const PastAction ejected{Step::Eject, 1, then, true}, restarting{Step::Restart, 1, then, false},
        restarted{Step::Restart, 1, then, true}, probing{Step::Probe, 1, then, false};
    struct Row {
        const char* what;
        IncidentStatus status;
        std::vector<PastAction> actions;
        std::vector<StepStatus> health;
        const char* done;
        const char* end;
    } rows[] = {
        {"restart under way, and it worked",
         IncidentStatus::Acting,
         {ejected, restarting},
         {},
         "eject wait_healthy probe readmit query",
         "resolved"},
        {"restart under way, and it did not",
         IncidentStatus::Acting,
         {ejected, restarting},
         {StepStatus::Failed},
         "eject wait_healthy! eject restart wait_healthy probe readmit query",
         "resolved"},
        {"probe under way",
         IncidentStatus::Acting,
         {ejected, restarted, probing},
         {},
         "eject wait_healthy probe readmit query",
         "resolved"},
        {"nothing done yet, still dead",
         IncidentStatus::Acting,
         {},
         {StepStatus::NotYet},
         "wait_healthy? eject restart wait_healthy probe readmit query",
         "resolved"},
        {"nothing done yet, well again",
         IncidentStatus::Acting,
         {ejected},
         {},
         "wait_healthy probe readmit",
         "resolved"},
        {"open, well again", IncidentStatus::Open, {}, {}, "wait_healthy probe readmit", "resolved"},
        {"open, still dead",
         IncidentStatus::Open,
         {},
         {StepStatus::NotYet},
         "wait_healthy? eject restart wait_healthy probe readmit query",
         "resolved"},
        {"escalated, a person brings it back",
         IncidentStatus::Escalated,
         {},
         times(4, StepStatus::NotYet),
         "wait_healthy? wait_healthy probe readmit",
         "resolved"},
        {"over", IncidentStatus::Resolved, {}, {}, "", "open"},
    };
    for (Row& row : rows) {
        SCOPED_TRACE(row.what);
        Scene scene(policy());
        Incident incident = scene.incident();
        incident.status = row.status;
        scene.script[Step::WaitHealthy] = row.health;
        scene.feed(scene.machine.restore(incident, row.actions, scene.now));
        EXPECT_EQ(scene.play(), row.done);
        EXPECT_EQ(scene.ends_as(), row.end);
    }
}

TEST(HealingMachine, ARestartInsideAnAttemptDoesNotGrantMoreAttempts) {
    Scene scene(policy());
    Incident incident = scene.incident();
    incident.status = IncidentStatus::Acting;
    for (int i = 0; i < 3; ++i) scene.machine.remember_attempt("chat/a", scene.now - 1min);
    scene.script[Step::WaitHealthy] = times(100'000, StepStatus::Failed);
    scene.feed(scene.machine.restore(incident, {{Step::Restart, 3, scene.now - 1min, false}}, scene.now));
    EXPECT_EQ(scene.play(scene.now + 1min), "eject wait_healthy!");
    EXPECT_EQ(scene.ends_as(), "escalated");
}

TEST(HealingMachine, APlanThatWaitedStillWaitsAfterARestart) {
    PolicyConfig careful = policy();
    careful.require_approval = true;
    Scene scene(careful);
    Incident incident = scene.incident();
    incident.status = IncidentStatus::AwaitingApproval;
    incident.updated_at = scene.now - 10min;
    scene.feed(scene.machine.restore(incident, {}, scene.now));
    EXPECT_EQ(scene.play(scene.now + 1min), "");
    auto approved = scene.machine.approve("inc_1", "ann", "", scene.now);
    ASSERT_TRUE(approved);
    scene.feed(*approved);
    scene.play();
    EXPECT_EQ(scene.ends_as(), "resolved");
}

}  // namespace
}  // namespace stoker::heal
