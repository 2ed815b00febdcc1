#include "heal/healing_machine.h"

#include <gtest/gtest.h>

#include <set>

#include "promql/engine.h"

namespace stoker::heal {
namespace {

using namespace std::chrono_literals;
using diagnose::Incident;
using diagnose::IncidentKind;
using diagnose::IncidentStatus;
using diagnose::Phase;

class FakeFleet : public Fleet {
public:
    ReplicaFacts replica(const std::string& id) const override {
        const auto found = replicas.find(id);
        return found == replicas.end() ? ReplicaFacts{true, true, false} : found->second;
    }
    PoolFacts pool(const std::string&) const override { return facts; }

    std::map<std::string, ReplicaFacts> replicas;
    PoolFacts facts{2, 1};
};

// A machine, a clock and a world that answers. play() lets time pass until nothing is left to do, or until `until`, and
// returns what was done: "eject restart wait_healthy probe readmit query | resolved". A step that does not succeed is
// marked: "restart!" failed, "wait_healthy?" not yet (told once for a run of them).
class Scene {
public:
    explicit Scene(PolicyConfig policy) : Scene(HealingConfig{.policies = {std::move(policy)}}) {}
    explicit Scene(HealingConfig config) : machine(std::move(config), fleet) {}

    Incident incident(IncidentKind kind = IncidentKind::EngineDown, std::string replica = "chat/a") {
        Incident made;
        made.id = "inc_" + std::to_string(++made_);
        made.kind = kind;
        made.replica = std::move(replica);
        made.pool = "chat";
        made.title = kind == IncidentKind::Alert ? "Slow{pool=\"chat\"}" : "engine is down";
        made.opened_at = now;
        return made;
    }

    void feed(const Commands& commands) {
        for (const Command& command : commands) {
            if (const auto* said = std::get_if<Report>(&command)) {
                timeline.push_back(said->entry);
                if (said->status) status[said->incident] = *said->status;
            } else {
                pending.push_back(command);
            }
        }
    }

    std::string play(Timestamp until = from_millis(1LL << 50)) {
        std::string done;
        std::string last;
        // A bound on the loop: a machine that never comes to rest is a failure, not a hang.
        for (int i = 0; i < 20'000 && now < until; ++i) {
            if (!pending.empty()) {
                const Command command = pending.front();
                pending.erase(pending.begin());
                const std::string did = answer(command);
                if (did != last) done += (done.empty() ? "" : " ") + did;
                last = did;
                continue;
            }
            const auto wake = machine.next_wake();
            if (!wake || *wake >= until) break;
            now = std::max(now, *wake);
            feed(machine.tick(now));
        }
        return done;
    }

    // How the status of the only incident is called.
    std::string ends_as(const std::string& id = "inc_1") { return std::string(to_string(status[id])); }

    bool said(std::string_view text) const {
        for (const auto& entry : timeline) {
            if (entry.text.find(text) != std::string::npos) return true;
        }
        return false;
    }

    FakeFleet fleet;
    HealingMachine machine;
    Timestamp now = from_millis(1'000'000);
    std::map<Step, std::vector<StepStatus>> script;  // One answer each time, then Done for ever.
    std::vector<bool> queries;                       // One answer each time, then true for ever.
    std::set<Step> silent;                           // Steps whose answer never comes.
    Duration step_takes{100};
    std::vector<diagnose::TimelineEntry> timeline;
    std::map<std::string, IncidentStatus> status;
    Commands pending;

private:
    std::string answer(const Command& command) {
        now += step_takes;
        if (const auto* query = std::get_if<RunQuery>(&command)) {
            const bool normal = next(queries, true);
            feed(machine.query_done(query->token, normal, normal ? "0" : "5 errors", now));
            return normal ? "query" : "query!";
        }
        const auto& run = std::get<RunStep>(command);
        if (silent.contains(run.step)) return std::string(to_string(run.step)) + "...";
        const StepStatus how = next(script[run.step], StepStatus::Done);
        feed(machine.step_done(run.token, {how, "as scripted"}, now));
        const std::string mark = how == StepStatus::Done ? "" : how == StepStatus::NotYet ? "?" : "!";
        return std::string(to_string(run.step)) + mark;
    }
    template <typename T>
    static T next(std::vector<T>& answers, T otherwise) {
        if (answers.empty()) return otherwise;
        const T first = answers.front();
        answers.erase(answers.begin());
        return first;
    }

    int made_ = 0;
};

PolicyConfig policy() {
    PolicyConfig made = default_policy();
    made.verify.query = "errors == 0";
    return made;
}

std::vector<StepStatus> times(std::size_t n, StepStatus status) {
    return std::vector<StepStatus>(n, status);
}

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
    EXPECT_TRUE(scene.said("Verified: normal for 3."));
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

TEST(HealingMachine, GivesUpAfterNTriesWithGrowingPauses) {
    PolicyConfig three = policy();
    three.backoff = 2s;
    Scene scene(three);
    scene.script[Step::Restart] = times(100, StepStatus::Failed);
    scene.script[Step::WaitHealthy] = times(100'000, StepStatus::NotYet);
    scene.feed(scene.machine.opened(scene.incident(), scene.now));
    scene.play(scene.now + 10min);
    EXPECT_EQ(scene.ends_as(), "escalated");
    EXPECT_TRUE(scene.said("Next attempt in 2.0 s"));
    EXPECT_TRUE(scene.said("Next attempt in 4.0 s"));
    EXPECT_FALSE(scene.said("Next attempt in 8.0 s"));
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

TEST(HealingMachine, PoliciesMatchByKindPoolAndAlert) {
    PolicyConfig hung = policy();
    hung.name = "hung-only";
    hung.on = {"engine_hung"};
    PolicyConfig other = policy();
    other.name = "other-pool";
    other.pools = {"embed"};
    PolicyConfig slow = policy();
    slow.name = "slow";
    slow.on = {"alert"};
    slow.alerts = {"Slow"};
    const std::vector<PolicyConfig> policies{hung, other, slow};
    Incident incident;
    incident.pool = "chat";
    const auto name = [&] {
        const PolicyConfig* found = match(policies, incident);
        return found == nullptr ? std::string("none") : found->name;
    };
    incident.kind = IncidentKind::EngineDown;
    EXPECT_EQ(name(), "none");
    incident.pool = "embed";
    EXPECT_EQ(name(), "other-pool");
    incident.kind = IncidentKind::EngineHung;
    EXPECT_EQ(name(), "hung-only");
    incident.kind = IncidentKind::Alert;
    incident.title = "Slow{pool=\"chat\"}";
    EXPECT_EQ(name(), "slow");
    incident.title = "Slower{pool=\"chat\"}";
    EXPECT_EQ(name(), "none");
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
        EXPECT_TRUE(scene.said("Verified"));
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

TEST(Policy, TheDefaultProofIsGoodPromql) {
    Incident incident;
    incident.replica = "chat/127.0.0.1:9001";
    const auto good = promql::Engine().check(fill_in(kNormalReplica, incident));
    EXPECT_TRUE(good) << good.error().message;
}

// describe() reads what operators write and refuses what would act without bounds.
TEST(Policy, Configuration) {
    const auto read = [](const std::string& text, HealingConfig& into) {
        std::string problems;
        for (const auto& problem : config::read_yaml(
                 text, "t.yaml", [&into](config::Fields& fields) { describe(fields, into); },
                 [](const std::string&) -> std::optional<std::string> { return std::nullopt; })) {
            problems += problem.text() + "\n";
        }
        return problems;
    };
    HealingConfig good;
    EXPECT_EQ(
        read("dry_run: true\npolicies:\n  - {name: p, on: [engine_hung], window: 10m, verify: {within: 30s}}\n", good),
        "");
    ASSERT_EQ(good.policies.size(), 1u);
    EXPECT_EQ(good.policies[0].window, 10min);
    EXPECT_EQ(good.policies[0].verify.within, 30s);
    EXPECT_EQ(good.policies[0].verify.query, kNormalReplica);
    const std::pair<const char*, const char*> rows[] = {
        {"policies: [{on: [engine_down]}]", "name"},
        {"policies: [{name: p, on: [engine_dwn]}]", "on"},
        {"policies: [{name: p, on: [alert]}]", "must name the alerts"},
        {"policies: [{name: p, steps: [dance]}]", "steps"},
        {"policies: [{name: p, steps: [eject, restart]}]", "without readmit"},
        {"policies: [{name: p, max_attempts: 0}]", "at least 1"},
        {"policies: [{name: p, verify: {within: 1s, hold: 2s}}]", "longer than"},
        {"max_unavailable: 2", "from 0 to 1"},
    };
    for (const auto& [text, want] : rows) {
        HealingConfig into;
        const std::string problems = read(text, into);
        EXPECT_NE(problems.find(want), std::string::npos) << text << " -> " << problems;
    }
}

TEST(Policy, QueriesAreFilledIn) {
    Incident incident;
    incident.replica = "chat/\"a\"";
    incident.pool = "chat";
    EXPECT_EQ(fill_in("x{replica=\"$replica\",pool=\"$pool\"}", incident),
              "x{replica=\"chat/\\\"a\\\"\",pool=\"chat\"}");
}

}  // namespace
}  // namespace stoker::heal
