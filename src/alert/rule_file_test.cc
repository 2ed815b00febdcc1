#include "alert/rule_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "promql/engine.h"

namespace stoker::alert {
namespace {

using namespace std::chrono_literals;

// Stands for the PromQL parser: anything with "((" is bad.
Result<Unit> check(std::string_view expr) {
    if (expr.find("((") != std::string_view::npos) return Error{Errc::InvalidArgument, "1:1: parse error: unclosed"};
    return Unit{};
}

TEST(RuleFile, ReadsEveryField) {
    const auto read = parse_rule_file(R"(
groups:
  - name: engines
    interval: 30s
    limit: 10
    labels: {team: infra}
    rules:
      - record: pool:up:sum
        expr: sum by (pool) (up)
      - alert: EngineDown
        expr: up == 0
        for: 1m30s
        keep_firing_for: 5m
        labels: {severity: critical, team: serving}
        annotations:
          summary: "{{ $labels.instance }} is down"
)",
                                      "rules.yaml", check);
    ASSERT_TRUE(read.problems.empty()) << read.problems[0].message;
    ASSERT_EQ(read.groups.size(), 1u);
    const RuleGroupSpec& group = read.groups[0];
    EXPECT_EQ(group.interval, 30s);
    EXPECT_EQ(group.limit, 10);
    ASSERT_EQ(group.rules.size(), 2u);
    EXPECT_EQ(group.rules[0].kind, RuleSpec::Kind::Recording);
    EXPECT_EQ(group.rules[0].labels.at("team"), "infra");
    const RuleSpec& alert = group.rules[1];
    EXPECT_EQ(alert.name, "EngineDown");
    EXPECT_EQ(alert.hold_for, 90s);
    EXPECT_EQ(alert.keep_firing_for, 5min);
    EXPECT_EQ(alert.labels.at("team"), "serving");
    EXPECT_EQ(alert.annotations.at("summary"), "{{ $labels.instance }} is down");
    EXPECT_EQ(alert.line, 10);
}

TEST(RuleFile, RefusesWithPlaceAndReason) {
    const std::string head = "groups:\n  - name: g\n    rules:\n";
    struct Row {
        std::string text;
        int line;
        const char* message;
    } rows[] = {
        {"groups: [", 1, ""},
        {"grups: []", 1, "did you mean `groups`?"},
        {"groups:\n  - rules: []", 2, "needs a `name`"},
        {"groups:\n  - name: g\n  - name: g", 3, "twice"},
        {"groups:\n  - name: g\n    intervall: 5s", 3, "did you mean `interval`?"},
        {"groups:\n  - name: g\n    interval: soon", 3, ""},
        {head + "      - expr: up", 4, "either `alert` or `record`"},
        {head + "      - {alert: A, record: b, expr: up}", 4, "either `alert` or `record`"},
        {head + "      - alert: A", 4, "no `expr`"},
        {head + "      - alert: A\n        expr: sum((", 5, "parse error"},
        {head + "      - alert: A\n        expr: up\n        labels: {__name__: b}", 6, "not a valid name"},
        {head + "      - alert: A\n        expr: up\n        fro: 5m", 6, "did you mean `for`?"},
        {head + "      - record: a{b=\"c\"}\n        expr: up", 4, "not a metric name"},
        {head + "      - record: a\n        expr: up\n        for: 5m", 6, "for alerts only"},
        {head + "      - alert: A\n        expr: up\n        annotations: {s: \"{{ $value\"}", 6, ""},
        {head + "      - just text", 4, "must be a map"},
        {"groups: 7", 1, "must be a list"},
        {"- a", 1, "must be a map"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.text);
        const auto read = parse_rule_file(row.text, "bad.yaml", check);
        ASSERT_FALSE(read.problems.empty());
        EXPECT_EQ(read.problems[0].file, "bad.yaml");
        EXPECT_EQ(read.problems[0].line, row.line);
        EXPECT_NE(read.problems[0].message.find(row.message), std::string::npos) << read.problems[0].message;
    }
}

TEST(RuleFile, EveryProblemIsReported) {
    const auto read = parse_rule_file("groups:\n  - name: g\n    a: 1\n    b: 2\n", "bad.yaml", check);
    EXPECT_EQ(read.problems.size(), 2u);
}

TEST(RuleFile, AnEmptyFileHasNoRules) {
    EXPECT_TRUE(parse_rule_file("", "e.yaml", check).problems.empty());
}

TEST(RuleFile, AMissingFileIsAProblemUnlessAPatternMayMatchNothing) {
    EXPECT_EQ(read_rule_files({"/nowhere/rules.yaml"}, "/", check).problems.size(), 1u);
    EXPECT_TRUE(read_rule_files({"/nowhere/*.yaml"}, "/", check).problems.empty());
}

TEST(RuleFile, TheRulesThatShipAreGood) {
    const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
    const promql::Engine engine;
    const CheckFn promql = [&engine](std::string_view expr) { return engine.check(expr); };
    const auto read = read_rule_files({"config/rules/*.yaml"}, root.string(), promql);
    for (const auto& problem : read.problems)
        ADD_FAILURE() << problem.file << ":" << problem.line << ": " << problem.message;
    std::size_t alerts = 0;
    for (const RuleGroupSpec& group : read.groups) {
        for (const RuleSpec& rule : group.rules) {
            if (rule.kind != RuleSpec::Kind::Alerting) continue;
            ++alerts;
            EXPECT_TRUE(rule.labels.contains("severity")) << rule.name;
            EXPECT_TRUE(rule.annotations.contains("summary")) << rule.name;
        }
    }
    EXPECT_GE(alerts, 12u);
}

}  // namespace
}  // namespace stoker::alert
