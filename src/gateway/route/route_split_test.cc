#include "gateway/route/route_split.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace stoker::gateway {
namespace {

constexpr int kKeys = 20'000;

std::vector<std::size_t> draws(std::string_view split, const std::vector<WeightedArm>& arms) {
    std::vector<std::size_t> drawn;
    for (int i = 0; i < kKeys; ++i) drawn.push_back(draw_sticky(split, arms, "user-" + std::to_string(i)));
    return drawn;
}

double share(const std::vector<std::size_t>& drawn, std::size_t arm) {
    return static_cast<double>(std::count(drawn.begin(), drawn.end(), arm)) / kKeys;
}

TEST(RouteSplit, SharesFollowTheWeights) {
    const auto drawn = draws("s", {{"a", 70}, {"b", 25}, {"c", 5}, {"off", 0}});
    EXPECT_NEAR(share(drawn, 0), 0.70, 0.01);
    EXPECT_NEAR(share(drawn, 1), 0.25, 0.01);
    EXPECT_NEAR(share(drawn, 2), 0.05, 0.005);
    EXPECT_EQ(share(drawn, 3), 0);
}

TEST(RouteSplit, MovingWeightMovesOnlyWhoMust) {
    const auto before = draws("s", {{"a", 60}, {"b", 35}, {"c", 5}});
    const auto after = draws("s", {{"a", 60}, {"b", 35}, {"c", 25}});
    int moved = 0;
    for (int i = 0; i < kKeys; ++i) {
        if (before[i] == after[i]) continue;
        ++moved;
        EXPECT_EQ(after[i], 2u) << "nobody moves between arms whose weights stayed";
    }
    EXPECT_NEAR(static_cast<double>(moved) / kKeys, 25.0 / 120 - 5.0 / 100, 0.01);
}

TEST(RouteSplit, AnArmThatGoesTakesOnlyItsOwnWithIt) {
    const auto before = draws("s", {{"a", 1}, {"b", 1}, {"c", 1}});
    const auto after = draws("s", {{"a", 1}, {"b", 1}, {"c", 0}});
    for (int i = 0; i < kKeys; ++i) {
        if (before[i] != 2) {
            EXPECT_EQ(after[i], before[i]);
        }
    }
}

TEST(RouteSplit, ExperimentsAreIndependent) {
    const auto one = draws("one", {{"a", 1}, {"b", 1}});
    const auto other = draws("other", {{"a", 1}, {"b", 1}});
    int same = 0;
    for (int i = 0; i < kKeys; ++i) same += one[i] == other[i] ? 1 : 0;
    EXPECT_NEAR(static_cast<double>(same) / kKeys, 0.5, 0.02);
}

// Who belongs where must survive an upgrade.
TEST(RouteSplit, TheHashIsTheSameForEver) {
    const auto drawn = draws("release", {{"v1", 95}, {"v2", 5}});
    std::string first;
    for (int i = 0; i < 60; ++i) first += drawn[i] == 0 ? '.' : 'c';
    EXPECT_EQ(first, "..................c.........c...............................");
}

TEST(RouteSplit, APointInTheWhole) {
    const std::vector<WeightedArm> arms = {{"off", 0}, {"a", 1}, {"b", 3}, {"off", 0}};
    EXPECT_EQ(draw_at(arms, 0), 1u);
    EXPECT_EQ(draw_at(arms, 0.24), 1u);
    EXPECT_EQ(draw_at(arms, 0.25), 2u);
    EXPECT_EQ(draw_at(arms, 0.999999), 2u);
    EXPECT_EQ(draw_at(arms, 1.0), 2u) << "rounding must not leave the list";
}

}  // namespace
}  // namespace stoker::gateway
