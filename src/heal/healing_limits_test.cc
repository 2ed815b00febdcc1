#include <gtest/gtest.h>

#include "heal/healing_scene.h"

namespace stoker::heal {
namespace {

TEST(HealingMachine, GivesUpAfterNTriesWithGrowingPauses) {
    PolicyConfig three = policy();
    three.backoff = 2s;
    Scene scene(three);
    scene.script[Step::Restart] = times(100, StepStatus::Failed);
    scene.script[Step::WaitHealthy] = times(100'000, StepStatus::NotYet);
    scene.feed(scene.machine.opened(scene.incident(), scene.now));
    scene.play(scene.now + 10min);
    EXPECT_EQ(scene.ends_as(), "escalated");
    EXPECT_TRUE(scene.said("Next attempt in 2 s"));
    EXPECT_TRUE(scene.said("Next attempt in 4 s"));
    EXPECT_FALSE(scene.said("Next attempt in 8 s"));
    EXPECT_TRUE(scene.said("limit of 3 attempts in 15m is used up"));
    EXPECT_TRUE(scene.said("stays out of the pool"));
}

TEST(HealingMachine, AttemptsCountAcrossIncidents) {
    Scene scene(policy());
    for (int i = 1; i <= 3; ++i) {
        scene.feed(scene.machine.opened(scene.incident(), scene.now));
        scene.play();
        EXPECT_EQ(scene.ends_as("inc_" + std::to_string(i)), "resolved");
    }
    scene.feed(scene.machine.opened(scene.incident(), scene.now));
    EXPECT_EQ(scene.play(), "");
    EXPECT_EQ(scene.ends_as("inc_4"), "escalated");

    scene.now += 16min;
    scene.feed(scene.machine.opened(scene.incident(), scene.now));
    scene.play();
    EXPECT_EQ(scene.ends_as("inc_5"), "resolved");
}

TEST(HealingMachine, DryRunWritesAndDoesNothing) {
    PolicyConfig dry = policy();
    dry.dry_run = true;
    HealingConfig everywhere{.dry_run = true, .policies = {policy()}};
    for (const HealingConfig& config : {HealingConfig{.policies = {dry}}, everywhere}) {
        Scene scene(config);
        scene.feed(scene.machine.opened(scene.incident(), scene.now));
        EXPECT_EQ(scene.play(), "");
        EXPECT_EQ(scene.ends_as(), "escalated");
        EXPECT_TRUE(scene.said("Dry run: would eject, restart, wait_healthy, probe, readmit."));
        EXPECT_EQ(scene.machine.size(), 0u);
    }
}

TEST(HealingMachine, Approval) {
    PolicyConfig careful = policy();
    careful.require_approval = true;
    careful.approval_timeout = 10min;
    const auto waiting = [&](Scene& scene) {
        scene.feed(scene.machine.opened(scene.incident(), scene.now));
        EXPECT_EQ(scene.play(scene.now + 5min), "");
        EXPECT_EQ(scene.ends_as(), "awaiting_approval");
    };
    {
        Scene scene(careful);
        waiting(scene);
        auto approved = scene.machine.approve("inc_1", "ann", "go on", scene.now);
        ASSERT_TRUE(approved);
        scene.feed(*approved);
        EXPECT_EQ(scene.play(), "eject restart wait_healthy probe readmit query");
        EXPECT_EQ(scene.ends_as(), "resolved");
        EXPECT_TRUE(scene.said("Approved: go on"));
        EXPECT_FALSE(scene.machine.approve("inc_1", "ann", "", scene.now));
    }
    {
        Scene scene(careful);
        waiting(scene);
        auto rejected = scene.machine.reject("inc_1", "", "not now", scene.now);
        ASSERT_TRUE(rejected);
        scene.feed(*rejected);
        EXPECT_EQ(scene.play(), "");
        EXPECT_EQ(scene.ends_as(), "escalated");
        const auto twice = scene.machine.reject("inc_1", "", "", scene.now);
        ASSERT_FALSE(twice);
        EXPECT_EQ(twice.error().code, Errc::Conflict);
    }
    {
        Scene scene(careful);
        waiting(scene);
        scene.play();
        EXPECT_EQ(scene.ends_as(), "escalated");
        EXPECT_TRUE(scene.said("nobody approved the plan within 10m"));
    }
    {
        Scene scene(careful);
        waiting(scene);
        Incident incident;
        incident.id = "inc_1";
        scene.feed(scene.machine.recovered(incident, "answers again", scene.now));
        EXPECT_EQ(scene.ends_as(), "resolved");
        EXPECT_FALSE(scene.machine.approve("inc_1", "ann", "", scene.now));
    }
}

TEST(HealingMachine, Refusals) {
    struct Row {
        const char* what;
        IncidentKind kind;
        ReplicaFacts replica;
        PoolFacts pool;
        const char* done;
        const char* why;
    } rows[] = {
        {"no restart command",
         IncidentKind::EngineDown,
         {true, false, false},
         {2, 1},
         "",
         "neither `run` nor `systemd`"},
        {"gone from the configuration",
         IncidentKind::EngineDown,
         {false, true, false},
         {2, 1},
         "",
         "not in the config"},
        {"last one, but dead",
         IncidentKind::EngineDown,
         {true, true, false},
         {1, 0},
         "eject restart wait_healthy probe readmit query",
         ""},
        {"last one, gateway has not seen it yet",
         IncidentKind::EngineHung,
         {true, true, true},
         {1, 1},
         "eject restart wait_healthy probe readmit query",
         ""},
        {"alert about the last serving one",
         IncidentKind::Alert,
         {true, true, true},
         {2, 1},
         "",
         "last serving replica"},
        {"alert, half the pool stays",
         IncidentKind::Alert,
         {true, true, true},
         {2, 2},
         "eject restart wait_healthy probe readmit query",
         ""},
        {"alert, too much would be out", IncidentKind::Alert, {true, true, true}, {4, 2}, "", "(2 of 4 serve now)"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.what);
        PolicyConfig all = policy();
        all.on = {"engine_down", "engine_hung", "alert"};
        all.alerts = {"Slow"};
        Scene scene(all);
        scene.fleet.replicas["chat/a"] = row.replica;
        scene.fleet.facts = row.pool;
        scene.feed(scene.machine.opened(scene.incident(row.kind), scene.now));
        EXPECT_EQ(scene.play(), row.done);
        EXPECT_EQ(scene.ends_as(), *row.why ? "escalated" : "resolved");
        EXPECT_TRUE(scene.said(row.why));
    }
}

TEST(HealingMachine, AtMostSoManyAtOnce) {
    HealingConfig config{.max_concurrent = 1, .policies = {policy()}};
    Scene scene(config);
    scene.feed(scene.machine.opened(scene.incident(IncidentKind::EngineDown, "chat/a"), scene.now));
    scene.feed(scene.machine.opened(scene.incident(IncidentKind::EngineDown, "chat/b"), scene.now));
    EXPECT_EQ(scene.pending.size(), 1u);
    EXPECT_TRUE(scene.said("Waits for other healing"));
    EXPECT_EQ(scene.play(),
              "eject restart wait_healthy probe readmit query eject restart wait_healthy probe readmit query");
    EXPECT_EQ(scene.ends_as("inc_1"), "resolved");
    EXPECT_EQ(scene.ends_as("inc_2"), "resolved");
}

TEST(HealingMachine, OneActionPerReplica) {
    PolicyConfig all = policy();
    all.on = {"engine_down", "alert"};
    all.alerts = {"Slow"};
    Scene scene(all);
    scene.feed(scene.machine.opened(scene.incident(IncidentKind::EngineDown), scene.now));
    scene.feed(scene.machine.opened(scene.incident(IncidentKind::Alert), scene.now));
    EXPECT_EQ(scene.pending.size(), 1u);
}

}  // namespace
}  // namespace stoker::heal
