#include "api/push.h"

#include <gtest/gtest.h>

namespace stoker::api {
namespace {

TEST(BodyBudget, SharesGrowWithinTheWholeAndComeBack) {
    BodyBudget budget(100);
    {
        BodyBudget::Share one(budget);
        EXPECT_TRUE(one.reach(60));
        EXPECT_TRUE(one.reach(10));  // Has it already.
        EXPECT_EQ(budget.used(), 60u);
        BodyBudget::Share other(budget);
        EXPECT_FALSE(other.reach(41));
        EXPECT_EQ(budget.used(), 60u);
        EXPECT_TRUE(other.reach(40));
        EXPECT_FALSE(one.reach(61));
    }
    EXPECT_EQ(budget.used(), 0u);
}

TEST(FindPush, BySlashOrWithout) {
    const std::vector<PushEndpoint> endpoints = {{"/write", 503, {}}, {"/v1/metrics", 429, {}}};
    EXPECT_EQ(find_push(endpoints, "/v1/metrics"), &endpoints[1]);
    EXPECT_EQ(find_push(endpoints, "/write/"), &endpoints[0]);
    EXPECT_EQ(find_push(endpoints, "/writes"), nullptr);
    EXPECT_EQ(find_push(endpoints, "/"), nullptr);
}

}  // namespace
}  // namespace stoker::api
