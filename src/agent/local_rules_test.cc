#include "agent/local_rules.h"

#include <gtest/gtest.h>

#include "agent/testing.h"

namespace stoker::agent {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Feeds one value of `temp` a step of ten seconds and returns what was due: '-' nothing, 'F' action, 'R' resolved.
std::string play(LocalRule rule, const std::vector<double>& values, testing::Clocks clocks = {}) {
    LocalRules rules({std::move(rule)});
    std::string story;
    for (const double value : values) {
        rules.append(
            {testing::sample("temp", clocks.now().wall, value), testing::sample("other", clocks.now().wall, 1)});
        std::vector<std::string> errors;
        const auto due = rules.evaluate(clocks.now().wall, clocks.steady(), errors);
        EXPECT_TRUE(errors.empty()) << errors[0];
        EXPECT_LE(due.size(), 1u);
        story += due.empty() ? '-' : due[0].resolved ? 'R' : 'F';
        clocks.pass(seconds(10));
    }
    return story;
}

TEST(AgentLocalRules, HoldRepeatAndResolve) {
    const LocalRule rule{"hot", "temp > 90", seconds(20), seconds(40)};
    EXPECT_EQ(play(rule, {80, 95, 95, 95, 95, 95, 95, 95, 80, 80}), "---F---FR-");
    EXPECT_EQ(play(rule, {95, 95, 80, 95, 95, 80}), "------");  // Not long enough.
    EXPECT_EQ(play({"at once", "temp > 90"}, {95, 95, 80, 95}), "F-RF");
}

TEST(AgentLocalRules, LooksBack) {
    const LocalRule rule{"rising", "delta(temp[1m]) > 30"};
    EXPECT_EQ(play(rule, {10, 10, 10, 50, 50, 50, 50, 50, 50, 50, 50}).substr(0, 5), "---F-");
    const LocalRule two{"both", "max(temp) > 5 and on () other == 1"};
    EXPECT_EQ(play(two, {1, 10}), "-F");
}

TEST(AgentLocalRules, SaysWhichSeries) {
    LocalRules rules(std::vector<LocalRule>{{"hot", "temp > 90"}});
    testing::Clocks clocks;
    rules.append({testing::sample("temp", clocks.now().wall, 91.5)});
    std::vector<std::string> errors;
    const auto due = rules.evaluate(clocks.now().wall, clocks.steady(), errors);
    ASSERT_EQ(due.size(), 1u);
    EXPECT_EQ(due[0].value, 91.5);
    EXPECT_NE(due[0].labels.find("instance=\"n1\""), std::string::npos);
    EXPECT_EQ(static_cast<int>(rules.status(0)), static_cast<int>(RuleStatus::Firing));
}

TEST(AgentLocalRules, AClockSetBackEndsNothingForLong) {
    LocalRules rules(std::vector<LocalRule>{{"hot", "temp > 90"}});
    testing::Clocks clocks;
    std::vector<std::string> errors;
    rules.append({testing::sample("temp", clocks.now().wall, 80)});
    EXPECT_TRUE(rules.evaluate(clocks.now().wall, clocks.steady(), errors).empty());
    clocks.set_wall(-std::chrono::hours(1));
    rules.append({testing::sample("temp", clocks.now().wall, 95)});
    EXPECT_EQ(rules.evaluate(clocks.now().wall, clocks.steady(), errors).size(), 1u);
}

TEST(AgentLocalRules, ExpressionsAreChecked) {
    EXPECT_TRUE(LocalRules::check("rate(node_vmstat_oom_kill[2m]) > 0"));
    EXPECT_FALSE(LocalRules::check("temp >"));
    EXPECT_FALSE(LocalRules::check("{__name__=~\"temp.*\"} > 1"));
}

}  // namespace
}  // namespace stoker::agent
