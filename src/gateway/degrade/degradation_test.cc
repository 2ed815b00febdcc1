// Triggers and levels by played-out nights, and the control over them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/degrade/degradation_control.h"

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

constexpr DegradationTimes kTimes{.raise_after = 30s, .clear_after = 120s, .clear_ratio = 0.8};

// Plays a value every ten seconds ('.' none, 'l' well below, 'b' between clear and raise, 'h' high) for a trigger
// at 10.
std::string play(std::string_view values) {
    DegradationTrigger trigger;
    std::string states;
    SteadyTime now{};
    for (const char value : values) {
        std::optional<double> reading;
        if (value == 'l') reading = 1;
        if (value == 'b') reading = 9;
        if (value == 'h') reading = 10;
        states += trigger.observe(reading, 10, kTimes, now) ? '#' : '-';
        now += 10s;
    }
    return states;
}

TEST(DegradationTrigger, ClosesAfterItsTime) {
    EXPECT_EQ(play("lhhhhh"), "----##");
}
TEST(DegradationTrigger, APeakDoesNothing) {
    EXPECT_EQ(play("hhhlhhhl"), "--------");
}
TEST(DegradationTrigger, OpensOnlyWellBelow) {
    EXPECT_EQ(play("hhhhbbbbbbbbbbbbbbbbbbbb"), "---#####################");
    EXPECT_EQ(play("hhhhlllllllllllll"), "---#############-");
}
TEST(DegradationTrigger, NoValueClears) {
    EXPECT_EQ(play("hhhh............."), "---#############-");
}
TEST(DegradationTrigger, ABreakStartsTheClearingOver) {
    EXPECT_EQ(play("hhhhllllllllblllllllllllll"), "---######################-");
}

// Load that is there whenever nothing is cut, and gone whenever something is: the worst case for flapping.
TEST(DegradationTrigger, LoadThatComesBackIsHeldLonger) {
    DegradationTrigger trigger;
    SteadyTime now{};
    int changes = 0;
    bool before = false;
    for (int i = 0; i < 3600; ++i, now += 1s) {
        const bool closed = trigger.observe(before ? 1.0 : 20.0, 10, kTimes, now);
        changes += closed != before ? 1 : 0;
        before = closed;
    }
    // Without patience it would change 48 times; with it each cut lasts longer: 120, 240, 480, then 960 s.
    EXPECT_EQ(changes, 11);
}

DegradationOptions options() {
    DegradationOptions options;
    options.enabled = true;
    options.raise_after = 0s;
    options.clear_after = 0s;
    options.conditions = {{"latency", "", {{{}, 2.0, 5.0, 10.0, {}}}}, {"errors", "", {{{}, 0.05, {}, {}, 0.5}}}};
    options.levels = default_level_actions();
    options.exempt_tenants = {"vip"};
    return options;
}

class Control : public testing::Test {
protected:
    Control() { control.configure(options()); }

    std::vector<DegradationChange> observe(const std::vector<DegradationReading>& readings) {
        steady += 1s;
        wall += 1s;
        return control.observe(readings, steady, wall);
    }
    DegradationLevel level(std::string_view pool, std::string_view tenant = "") {
        DegradationLevel level{};
        (void)control.of(pool, tenant, level);
        return level;
    }

    metrics::Registry registry;
    DegradationControl control{registry};
    SteadyTime steady{};
    Timestamp wall = from_millis(1'000'000);
};

TEST_F(Control, TheWorstConditionOfAPoolCounts) {
    const auto changes = observe({{"latency", "chat", 6}, {"errors", "chat", 0.06}, {"latency", "code", 1}});
    ASSERT_EQ(changes.size(), 1);
    EXPECT_EQ(changes[0].pool, "chat");
    EXPECT_EQ(changes[0].to, DegradationLevel::Medium);
    EXPECT_EQ(changes[0].why, "latency is 6");
    EXPECT_EQ(level("chat"), DegradationLevel::Medium);
    EXPECT_EQ(level("code"), DegradationLevel::Normal);
    observe({{"latency", "chat", 1}});
    EXPECT_EQ(level("chat"), DegradationLevel::Normal);
    EXPECT_THAT(control.status().conditions, testing::SizeIs(1));
}

TEST_F(Control, AValueWithoutPoolIsForAll) {
    observe({{"errors", "", 0.7}, {"latency", "chat", 3}});
    EXPECT_EQ(level("chat"), DegradationLevel::Emergency);
    EXPECT_EQ(level("any"), DegradationLevel::Emergency);
    EXPECT_EQ(level("any", "vip"), DegradationLevel::Normal);
}

TEST_F(Control, APinBeatsConditionsUntilItEnds) {
    observe({{"latency", "chat", 20}});
    EXPECT_EQ(level("chat"), DegradationLevel::Heavy);
    control.pin({"chat", DegradationLevel::Normal, wall + 60s, "amy", "drill"}, wall);
    EXPECT_EQ(level("chat"), DegradationLevel::Normal);
    wall += 60s;
    observe({{"latency", "chat", 20}});
    EXPECT_EQ(level("chat"), DegradationLevel::Heavy);
    EXPECT_THAT(control.pins(), IsEmpty());
}

TEST_F(Control, APinOfAllIsBeatenByOneOfAPool) {
    control.pin({"", DegradationLevel::Light, {}, "amy", ""}, wall);
    control.pin({"chat", DegradationLevel::Heavy, {}, "amy", ""}, wall);
    EXPECT_EQ(level("chat"), DegradationLevel::Heavy);
    EXPECT_EQ(level("code"), DegradationLevel::Light);
    EXPECT_TRUE(control.release("chat", wall));
    EXPECT_FALSE(control.release("chat", wall));
    EXPECT_EQ(level("chat"), DegradationLevel::Light);
}

TEST_F(Control, SwitchedOffItForgetsConditionsAndKeepsPins) {
    observe({{"latency", "chat", 20}});
    DegradationOptions off = options();
    off.enabled = false;
    control.configure(off);
    EXPECT_EQ(level("chat"), DegradationLevel::Normal);
    EXPECT_THAT(observe({{"latency", "chat", 20}}), IsEmpty());
    control.pin({"", DegradationLevel::Light, wall + 60s, "amy", ""}, wall);
    EXPECT_EQ(level("chat"), DegradationLevel::Light);
    wall += 60s;
    observe({});
    EXPECT_EQ(level("chat"), DegradationLevel::Normal) << "a pin ends though conditions are off";
}

TEST_F(Control, ScopesAreBounded) {
    std::vector<DegradationReading> readings;
    readings.reserve(5000);
    for (int i = 0; i < 5000; ++i) readings.push_back({"latency", std::to_string(i), 20});
    observe(readings);
    EXPECT_LE(control.status().scopes.size(), 1001u);
}

TEST(DegradationLevel, NamesAndNumbers) {
    EXPECT_EQ(parse_degradation_level("heavy"), DegradationLevel::Heavy);
    EXPECT_EQ(parse_degradation_level("3"), DegradationLevel::Heavy);
    EXPECT_EQ(parse_degradation_level("5"), std::nullopt);
}

}  // namespace
}  // namespace stoker::gateway
