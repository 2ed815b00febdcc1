#include <gtest/gtest.h>

#include "heal/healing_scene.h"
#include "promql/engine.h"

namespace stoker::heal {
namespace {

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
