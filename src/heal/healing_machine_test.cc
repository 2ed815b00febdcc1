#include <gtest/gtest.h>

#include "heal/healing_scene.h"
#include "heal/wording.h"

namespace stoker::heal {
namespace {

TEST(HealingMachine, HealsADeadEngine) {
    Scene scene(policy());
    scene.script[Step::WaitHealthy] = times(4, StepStatus::NotYet);
    const Timestamp began = scene.now;
    scene.feed(scene.machine.opened(scene.incident(), scene.now));
    EXPECT_EQ(scene.play(), "eject restart wait_healthy? wait_healthy probe readmit query");
    EXPECT_EQ(scene.ends_as(), "resolved");
    EXPECT_LT(scene.now - began, 10s);
    EXPECT_EQ(scene.machine.size(), 0u);
    EXPECT_TRUE(scene.said("Plan: eject, restart, wait_healthy, probe, readmit, verify."));
    EXPECT_TRUE(scene.said("Back to normal, as the policy's query tells; held for 3"));
    EXPECT_FALSE(scene.said("errors == 0"));  // A sentence for people; the query is evidence.
    ASSERT_EQ(scene.evidence.size(), 1u);
    EXPECT_EQ(scene.evidence[0].query, "errors == 0");
    EXPECT_EQ(scene.evidence[0].value, "0");
}

TEST(HealingMachine, TheBuiltInVerificationSaysWhatIsNormal) {
    Scene scene(default_policy());
    scene.feed(scene.machine.opened(scene.incident(), scene.now));
    scene.play();
    EXPECT_TRUE(scene.said("Errors are back to normal: the replica serves and its requests do not fail; held for"));
    EXPECT_FALSE(scene.said("increase("));
}

TEST(Wording, DurationsAsPeopleSayThem) {
    const std::pair<Duration, const char*> rows[] = {
        {0ms, "under 1 ms"},  {12ms, "12 ms"},     {999ms, "999 ms"},   {1s, "1 s"},    {1240ms, "1.2 s"},
        {59'949ms, "59.9 s"}, {59'960ms, "1 min"}, {125s, "2 min 5 s"}, {3600s, "1 h"}, {12'000s, "3 h 20 min"}};
    for (const auto& [duration, text] : rows) EXPECT_EQ(spoken(duration), text);
}

TEST(HealingMachine, RestartBeginsAtOnce) {
    Scene scene(policy());
    const Commands commands = scene.machine.opened(scene.incident(), scene.now);
    ASSERT_FALSE(commands.empty());
    ASSERT_TRUE(std::holds_alternative<RunStep>(commands.back()));
    EXPECT_EQ(std::get<RunStep>(commands.back()).step, Step::Eject);
}

TEST(HealingMachine, TimelineIsInOrderAndNamesThePolicy) {
    Scene scene(policy());
    scene.feed(scene.machine.opened(scene.incident(), scene.now));
    scene.play();
    std::string phases;
    Timestamp before{};
    for (const auto& entry : scene.timeline) {
        EXPECT_GE(entry.at, before);
        EXPECT_EQ(entry.actor, "policy restart-dead-engine");
        before = entry.at;
        phases += std::string(to_string(entry.phase)) + " ";
    }
    EXPECT_EQ(phases, "plan act act act act act act verify resolve ");
}

// What goes wrong, what is then done, and how it ends.
TEST(HealingMachine, Failures) {
    const auto failed = [](std::size_t n) { return times(n, StepStatus::Failed); };
    const auto never = times(100'000, StepStatus::NotYet);
    struct Row {
        const char* what;
        std::map<Step, std::vector<StepStatus>> script;
        std::vector<bool> queries;
        const char* done;
        const char* end;
    } rows[] = {
        {"second attempt works",
         {{Step::Restart, failed(1)}},
         {},
         "eject restart! eject restart wait_healthy probe readmit query",
         "resolved"},
        {"probe fails once",
         {{Step::Probe, failed(1)}},
         {},
         "eject restart wait_healthy probe! eject restart wait_healthy probe readmit query",
         "resolved"},
        {"errors stay",
         {},
         std::vector<bool>(56, false),
         "eject restart wait_healthy probe readmit query! eject restart wait_healthy probe readmit query",
         "resolved"},
        {"errors, then normal",
         {},
         {false, true, false, true},
         "eject restart wait_healthy probe readmit query! query query! query",
         "resolved"},
        {"gives up, comes back by hand",
         {{Step::Restart, failed(9)}, {Step::WaitHealthy, times(7, StepStatus::NotYet)}},
         {},
         "eject restart! eject restart! eject restart! wait_healthy? wait_healthy probe readmit",
         "resolved"},
        {"never healthy",
         {{Step::WaitHealthy, never}},
         {},
         "eject restart wait_healthy? eject restart wait_healthy? eject restart wait_healthy?",
         "escalated"},
    };
    for (Row& row : rows) {
        SCOPED_TRACE(row.what);
        Scene scene(policy());
        scene.script = row.script;
        scene.queries = row.queries;
        scene.feed(scene.machine.opened(scene.incident(), scene.now));
        EXPECT_EQ(scene.play(scene.now + 20min), row.done);
        EXPECT_EQ(scene.ends_as(), row.end);
    }
}

TEST(HealingMachine, WithoutAPolicyNothingIsDone) {
    PolicyConfig other = policy();
    other.pools = {"embed"};
    Scene scene(other);
    scene.feed(scene.machine.opened(scene.incident(), scene.now));
    EXPECT_EQ(scene.play(), "");
    EXPECT_TRUE(scene.said("No healing policy"));
    EXPECT_EQ(scene.machine.size(), 0u);
}

TEST(HealingMachine, FailureDuringVerificationIsAFailedAttempt) {
    Scene scene(policy());
    const Incident incident = scene.incident();
    scene.queries = std::vector<bool>(1000, false);
    scene.feed(scene.machine.opened(incident, scene.now));
    scene.play(scene.now + 3s);
    scene.queries.clear();
    scene.feed(scene.machine.again(incident, "connection refused", scene.now));
    EXPECT_EQ(scene.play(), "eject restart wait_healthy probe readmit query");
    EXPECT_TRUE(scene.said("it failed again: connection refused"));
    EXPECT_EQ(scene.ends_as(), "resolved");
}

TEST(HealingMachine, AnExecutorThatNeverAnswersIsAFailure) {
    Scene scene(policy());
    scene.silent = {Step::Restart};
    scene.script[Step::WaitHealthy] = times(100'000, StepStatus::NotYet);
    scene.feed(scene.machine.opened(scene.incident(), scene.now));
    EXPECT_EQ(scene.play(scene.now + 10min), "eject restart... eject restart... eject restart... wait_healthy?");
    EXPECT_EQ(scene.ends_as(), "escalated");
}

TEST(HealingMachine, ANewConfigurationDoesNotChangeAPlanUnderWay) {
    Scene scene(policy());
    scene.feed(scene.machine.opened(scene.incident(), scene.now));
    PolicyConfig dry = policy();
    dry.dry_run = true;
    scene.machine.set_config({.policies = {dry}});
    EXPECT_EQ(scene.play(), "eject restart wait_healthy probe readmit query");
    scene.feed(scene.machine.opened(scene.incident(), scene.now));
    EXPECT_EQ(scene.play(), "");
}

}  // namespace
}  // namespace stoker::heal
