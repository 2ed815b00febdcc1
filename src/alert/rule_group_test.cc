#include "alert/rule_group.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "alert/rules_json.h"
#include "promql/memory_querier.h"

namespace stoker::alert {
namespace {

using namespace std::chrono_literals;
using tsdb::Labels;

// What queries answer: by expression, a vector or an error.
class World {
public:
    void set(const std::string& expr, std::vector<std::pair<Labels, double>> vector) {
        promql::Vector samples;
        for (auto& [labels, value] : vector) samples.push_back({labels, {0, value}});
        answers_[expr] = promql::Value{samples, {}, {}};
    }
    void fail(const std::string& expr) { answers_[expr] = Error{Errc::DeadlineExceeded, "too slow"}; }

    QueryFn query() {
        return [this](std::string_view expr, Timestamp) { return answers_.at(std::string(expr)); };
    }

private:
    std::map<std::string, Result<promql::Value>> answers_;
};

RuleSpec alerting(std::string name, std::string expr, Duration hold_for = Duration{0}) {
    RuleSpec rule;
    rule.kind = RuleSpec::Kind::Alerting;
    rule.name = std::move(name);
    rule.expr = std::move(expr);
    rule.hold_for = hold_for;
    return rule;
}

RuleSpec recording(std::string name, std::string expr) {
    RuleSpec rule;
    rule.name = std::move(name);
    rule.expr = std::move(expr);
    return rule;
}

RuleGroupSpec group_of(std::vector<RuleSpec> rules) {
    RuleGroupSpec group;
    group.file = "f";
    group.name = "g";
    group.interval = 1min;
    group.rules = std::move(rules);
    return group;
}

// The samples as text, one a line: `ALERTS{...} 1`, markers as "stale".
std::string text(const std::vector<tsdb::SeriesSample>& samples) {
    std::string lines;
    for (const auto& sample : samples) {
        const bool stale = tsdb::is_stale(sample.sample.value);
        lines += sample.labels.text() + " " + (stale ? "stale" : nlohmann::json(sample.sample.value).dump()) + "\n";
    }
    return lines;
}

std::string text(const std::vector<AlertTransition>& transitions) {
    std::string lines;
    for (const auto& transition : transitions) {
        lines += (transition.kind == AlertTransition::Kind::Fired ? "fired " : "resolved ") + transition.labels.text() +
                 "\n";
    }
    return lines;
}

class GroupTest : public ::testing::Test {
protected:
    Evaluation evaluate(RuleGroup& group) {
        now += 1min;
        return group.evaluate(now, world.query(), nullptr, nullptr, nullptr);
    }
    World world;
    Timestamp now = from_millis(0);
};

TEST_F(GroupTest, RecordsUnderTheNewNameAndMarksWhatIsGone) {
    RuleSpec rule = recording("job:up:sum", "x");
    rule.labels = {{"team", "infra"}};
    RuleGroup group(group_of({rule}));
    world.set("x", {{Labels{{"__name__", "up"}, {"job", "a"}}, 2}, {Labels{{"job", "b"}}, 3}});
    EXPECT_EQ(text(evaluate(group).samples),
              "job:up:sum{job=\"a\",team=\"infra\"} 2.0\njob:up:sum{job=\"b\",team=\"infra\"} 3.0\n");
    world.set("x", {{Labels{{"job", "b"}}, 4}});
    EXPECT_EQ(text(evaluate(group).samples),
              "job:up:sum{job=\"b\",team=\"infra\"} 4.0\njob:up:sum{job=\"a\",team=\"infra\"} stale\n");
    EXPECT_EQ(text(evaluate(group).samples), "job:up:sum{job=\"b\",team=\"infra\"} 4.0\n");
}

TEST_F(GroupTest, AnAlertsLife) {
    RuleGroup group(group_of({alerting("Down", "x", 2min)}));
    world.set("x", {{Labels{{"__name__", "up"}, {"i", "1"}}, 0}});
    EXPECT_EQ(text(evaluate(group).samples),
              "ALERTS{alertname=\"Down\",alertstate=\"pending\",i=\"1\"} 1.0\n"
              "ALERTS_FOR_STATE{alertname=\"Down\",i=\"1\"} 60.0\n");
    EXPECT_EQ(text(evaluate(group).transitions), "");
    const Evaluation third = evaluate(group);
    EXPECT_EQ(text(third.transitions), "fired {alertname=\"Down\",i=\"1\"}\n");
    EXPECT_EQ(text(third.samples),
              "ALERTS{alertname=\"Down\",alertstate=\"firing\",i=\"1\"} 1.0\n"
              "ALERTS_FOR_STATE{alertname=\"Down\",i=\"1\"} 60.0\n"
              "ALERTS{alertname=\"Down\",alertstate=\"pending\",i=\"1\"} stale\n");
    world.set("x", {});
    const Evaluation last = evaluate(group);
    EXPECT_EQ(text(last.transitions), "resolved {alertname=\"Down\",i=\"1\"}\n");
    EXPECT_EQ(text(last.samples),
              "ALERTS{alertname=\"Down\",alertstate=\"firing\",i=\"1\"} stale\n"
              "ALERTS_FOR_STATE{alertname=\"Down\",i=\"1\"} stale\n");
}

TEST_F(GroupTest, AFailedQueryLeavesTheStates) {
    RuleGroup group(group_of({alerting("Down", "x")}));
    world.set("x", {{Labels{{"i", "1"}}, 0}});
    EXPECT_EQ(evaluate(group).transitions.size(), 1u);
    world.fail("x");
    const Evaluation failed = evaluate(group);
    EXPECT_EQ(failed.failures, 1u);
    EXPECT_TRUE(failed.samples.empty());
    EXPECT_TRUE(failed.transitions.empty());
    EXPECT_EQ(group.status().rules[0].error, "too slow");
    EXPECT_EQ(group.status().rules[0].alerts.size(), 1u);
    world.set("x", {});
    EXPECT_EQ(evaluate(group).transitions.size(), 1u);
}

TEST_F(GroupTest, LabelsAndAnnotationsAreExpanded) {
    RuleSpec rule = alerting("Down", "x");
    rule.labels = {{"severity", "{{ $labels.sev }}"}};
    rule.annotations = {{"summary", "{{ $value }}"}, {"plain", "as it is"}, {"broken", "{{ nonsense"}};
    RuleGroup group(group_of({rule}));
    world.set("x", {{Labels{{"sev", "page"}}, 7}});
    const ExpandFn expand = [](std::string_view in, const AlertData& data) -> Result<std::string> {
        if (in == "{{ $labels.sev }}") return std::string(data.labels.get("sev"));
        if (in == "{{ $value }}") return std::to_string(static_cast<int>(data.value));
        return Error{Errc::InvalidArgument, "bad template"};
    };
    const Evaluation done = group.evaluate(from_millis(1), world.query(), expand, nullptr, nullptr);
    ASSERT_EQ(done.transitions.size(), 1u);
    EXPECT_EQ(done.transitions[0].labels.get("severity"), "page");
    EXPECT_EQ(done.transitions[0].annotations.at("summary"), "7");
    EXPECT_EQ(done.transitions[0].annotations.at("plain"), "as it is");
    EXPECT_EQ(done.transitions[0].annotations.at("broken"), "<error expanding template: bad template>");
    EXPECT_EQ(done.transitions[0].value, 7);
    EXPECT_EQ(done.transitions[0].query, "x");
}

TEST_F(GroupTest, RefusesAmbiguousResultsAndTooMany) {
    RuleGroupSpec spec = group_of({recording("r", "x"), alerting("A", "x")});
    world.set("x", {{Labels{{"__name__", "a"}}, 1}, {Labels{{"__name__", "b"}}, 1}});
    RuleGroup ambiguous(spec);
    EXPECT_EQ(evaluate(ambiguous).failures, 2u);
    spec.limit = 1;
    RuleGroup limited(spec);
    evaluate(limited);
    EXPECT_EQ(limited.status().rules[0].error,
              "vector contains metrics with the same labelset after applying rule labels: r");
    world.set("x", {{Labels{{"i", "1"}}, 1}, {Labels{{"i", "2"}}, 1}});
    evaluate(limited);
    EXPECT_EQ(limited.status().rules[0].error, "exceeded limit of 1 with 2 series");
    EXPECT_EQ(limited.status().rules[1].error, "exceeded limit of 1 with 2 alerts");
    EXPECT_TRUE(limited.status().rules[1].alerts.empty());
}

TEST_F(GroupTest, AScalarIsASampleWithoutLabels) {
    RuleGroup group(group_of({recording("one", "x")}));
    const QueryFn scalar = [](std::string_view, Timestamp) -> Result<promql::Value> {
        return promql::Value{promql::Scalar{{0, 5}}, {}, {}};
    };
    EXPECT_EQ(text(group.evaluate(from_millis(1), scalar, nullptr, nullptr, nullptr).samples), "one 5.0\n");
}

TEST_F(GroupTest, EachRulesSamplesAreWrittenBeforeTheNextIsEvaluated) {
    RuleGroup group(group_of({recording("a", "x"), recording("b", "a")}));
    world.set("x", {{Labels{}, 1}});
    world.set("a", {});
    const RuleGroup::WriteFn write = [this](const std::vector<tsdb::SeriesSample>& samples) {
        if (samples[0].labels.metric() == "a") world.set("a", {{Labels{}, samples[0].sample.value + 1}});
        return Result<Unit>(Unit{});
    };
    EXPECT_EQ(text(group.evaluate(from_millis(1), world.query(), nullptr, write, nullptr).samples), "a 1.0\nb 2.0\n");
}

TEST_F(GroupTest, NewRulesKeepTheStatesOfUnchangedOnes) {
    RuleGroup old(group_of({alerting("Same", "x", 2min), alerting("Changed", "x"), alerting("Gone", "x")}));
    world.set("x", {{Labels{}, 1}});
    world.set("y", {{Labels{}, 1}});
    evaluate(old);
    evaluate(old);
    RuleGroup fresh(group_of({alerting("Changed", "y"), alerting("Same", "x", 2min)}));
    fresh.take_over(old);
    EXPECT_EQ(text(old.retire(now).transitions), "resolved {alertname=\"Changed\"}\nresolved {alertname=\"Gone\"}\n");
    EXPECT_EQ(text(evaluate(fresh).transitions), "fired {alertname=\"Changed\"}\nfired {alertname=\"Same\"}\n");
}

TEST_F(GroupTest, HistogramsAreRecorded) {
    RuleGroup group(group_of({recording("h", "x"), alerting("A", "x")}));
    auto histogram = std::make_shared<tsdb::Histogram>();
    histogram->count = 3;
    const QueryFn query = [&](std::string_view, Timestamp) -> Result<promql::Value> {
        promql::Vector vector;
        vector.push_back({Labels{{"i", "1"}}, {0, tsdb::histogram_marker()}, histogram});
        return promql::Value{vector, {}, {}};
    };
    const Evaluation done = group.evaluate(from_millis(5), query, nullptr, nullptr, nullptr);
    ASSERT_EQ(done.samples.size(), 3u);
    EXPECT_EQ(done.samples[0].histogram, histogram);
    EXPECT_EQ(done.samples[1].sample.value, 1);
    EXPECT_EQ(group.status().rules[1].alerts[0].value, 0);
}

TEST_F(GroupTest, TheQueryOffsetMovesQueriesAndSamplesButNotClocks) {
    RuleGroupSpec spec = group_of({alerting("A", "x")});
    spec.query_offset = 30s;
    RuleGroup group(spec);
    Timestamp asked;
    const QueryFn query = [&](std::string_view, Timestamp at) -> Result<promql::Value> {
        asked = at;
        return promql::Value{promql::Vector{{Labels{{"i", "1"}}, {0, 1}}}, {}, {}};
    };
    const Evaluation done = group.evaluate(from_millis(60'000), query, nullptr, nullptr, nullptr);
    EXPECT_EQ(to_millis(asked), 30'000);
    EXPECT_EQ(done.samples[0].sample.time, 30'000);
    EXPECT_EQ(done.transitions[0].active_since, from_millis(60'000));
}

TEST_F(GroupTest, ARuleThatCannotBeWrittenIsInError) {
    RuleGroup group(group_of({recording("r", "x")}));
    world.set("x", {{Labels{}, 1}});
    const RuleGroup::WriteFn broken = [](const auto&) -> Result<Unit> { return Error{Errc::Unavailable, "disk full"}; };
    EXPECT_EQ(group.evaluate(from_millis(1), world.query(), nullptr, broken, nullptr).failures, 1u);
    EXPECT_EQ(group.status().rules[0].error, "disk full");
}

// An alert {alertname=name, i="1"} that began `began` and was last seen at `seen`, in minutes.
SeenAlert seen_alert(const std::string& name, int began, int seen) {
    return {Labels{{"alertname", name}, {"i", "1"}}, Timestamp{} + began * 1min, Timestamp{} + seen * 1min};
}

TEST_F(GroupTest, AlertsGoOnAfterARestart) {
    struct Row {
        Duration hold_for;
        int began, seen;  // By the process before.
        int now;          // First evaluation.
        const char* phase;
        int since;  // Active, in minutes.
    } rows[] = {
        {0min, 10, 20, 30, "firing", 10},   {5min, 10, 20, 30, "firing", 10},  // However short the hold.
        {5min, 18, 20, 30, "pending", 30},  // Held for less than the grace period: anew.
        {60min, 10, 70, 80, "firing", 10},  {60min, 10, 20, 30, "pending", 20},  // Its clock stood still.
        {60min, 10, 65, 80, "pending", 30},                                      // 5 minutes were left: now 10.
    };
    for (const Row& row : rows) {
        RuleGroup group(group_of({alerting("A", "x", row.hold_for)}));
        group.restore("A", {seen_alert("A", row.began, row.seen)}, {});
        world.set("x", {{Labels{{"i", "1"}}, 1}});
        now = Timestamp{} + (row.now - 1) * 1min;
        const Evaluation done = evaluate(group);
        const ActiveAlert alert = group.status().rules.at(0).alerts.at(0);
        EXPECT_EQ(alert.phase == Phase::Firing ? "firing" : "pending", std::string(row.phase)) << row.began << row.seen;
        EXPECT_EQ(alert.active_since, Timestamp{} + row.since * 1min) << row.began << " " << row.seen;
        EXPECT_EQ(done.transitions.size(), alert.phase == Phase::Firing ? 1u : 0u);
    }
}

TEST_F(GroupTest, AlertsThatDontGoOnAfterARestartEnd) {
    RuleGroup group(group_of({alerting("A", "x")}));
    world.set("x", {});
    now = Timestamp{} + 20min;
    group.restore("A", {seen_alert("A", 10, 20)}, {});
    group.restore("B", {seen_alert("B", 10, 20)}, {});  // Of no rule here.
    Evaluation done = evaluate(group);
    EXPECT_EQ(text(done.samples) + text(done.transitions), "");  // What it looks at may not have been scraped yet.
    done = evaluate(group);
    EXPECT_EQ(text(done.transitions), "resolved {alertname=\"A\",i=\"1\"}\n");
    EXPECT_EQ(text(done.samples),
              "ALERTS{alertname=\"A\",alertstate=\"firing\",i=\"1\"} stale\n"
              "ALERTS_FOR_STATE{alertname=\"A\",i=\"1\"} stale\n");
    EXPECT_EQ(text(evaluate(group).samples), "");
}

TEST_F(GroupTest, AlertsFireOnAfterARestart) {
    RuleSpec rule = alerting("A", "x");
    rule.keep_firing_for = 5min;
    rule.annotations = {{"s", "as it is"}};
    RuleGroup group(group_of({rule}));
    world.set("x", {});
    now = Timestamp{} + 21min;
    group.restore("A", {seen_alert("A", 10, 20)}, {});
    evaluate(group);  // Minute 22: a gap of 2.
    ASSERT_EQ(group.status().rules[0].alerts.size(), 1u);
    EXPECT_EQ(group.status().rules[0].alerts[0].keep_firing_since, Timestamp{} + 20min);
    EXPECT_EQ(group.status().rules[0].alerts[0].annotations.at("s"), "as it is");
    evaluate(group);
    evaluate(group);
    EXPECT_EQ(text(evaluate(group).transitions), "resolved {alertname=\"A\",i=\"1\"}\n");
}

TEST(AlertRestore, ReadsWhoWasActive) {
    promql::MemoryQuerier data;
    const auto minute = [](std::int64_t count) { return count * 60'000; };
    const auto series = [](const char* alert, const char* i) {
        return Labels{{"__name__", "ALERTS_FOR_STATE"}, {"alertname", alert}, {"i", i}};
    };
    data.add(series("A", "active"), {minute(90), 5'000});
    data.add(series("A", "active"), {minute(95), 5'400});
    data.add(series("A", "ended"), {minute(90), 5'000});
    data.add(series("A", "ended"), {minute(91), tsdb::stale_marker()});
    data.add(series("A", "long ago"), {minute(20), 1'000});
    data.add(series("B", "other"), {minute(95), 5'000});
    const auto seen = read_alert_states(data, "A", Timestamp{} + 100min, 60min);
    ASSERT_TRUE(seen.has_value());
    ASSERT_EQ(seen->size(), 1u);
    EXPECT_EQ((*seen)[0].labels.text(), "{alertname=\"A\",i=\"active\"}");
    EXPECT_EQ((*seen)[0].active_since, Timestamp{} + 90min);
    EXPECT_EQ((*seen)[0].seen, Timestamp{} + 95min);
}

TEST_F(GroupTest, JsonIsPrometheus) {
    RuleSpec rule = alerting("Down", "x", 90s);
    rule.labels = {{"severity", "critical"}};
    RuleGroup group(group_of({rule, recording("r", "y")}));
    const auto before = nlohmann::json::parse(rules_to_json({group.status()}));
    EXPECT_EQ(before["groups"][0]["rules"][0]["health"], "unknown");
    EXPECT_EQ(before["groups"][0]["lastEvaluation"], "0001-01-01T00:00:00Z");
    world.set("x", {{Labels{{"i", "1"}}, 0.25}});
    world.fail("y");
    evaluate(group);
    const auto rules = nlohmann::json::parse(rules_to_json({group.status()}));
    const auto& shown = rules["groups"][0];
    EXPECT_EQ(shown["interval"], 60.0);
    EXPECT_EQ(shown["rules"][0]["type"], "alerting");
    EXPECT_EQ(shown["rules"][0]["state"], "pending");
    EXPECT_EQ(shown["rules"][0]["duration"], 90.0);
    EXPECT_EQ(shown["rules"][1]["type"], "recording");
    EXPECT_EQ(shown["rules"][1]["health"], "err");
    EXPECT_EQ(shown["rules"][1]["lastError"], "too slow");
    const auto alerts = nlohmann::json::parse(alerts_to_json({group.status()}));
    ASSERT_EQ(alerts["alerts"].size(), 1u);
    EXPECT_EQ(alerts["alerts"][0]["value"], "2.5e-01");
    EXPECT_EQ(alerts["alerts"][0]["labels"]["alertname"], "Down");
    EXPECT_EQ(alerts["alerts"][0]["activeAt"], "1970-01-01T00:01:00.000Z");
}

}  // namespace
}  // namespace stoker::alert
