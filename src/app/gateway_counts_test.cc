#include "app/gateway_counts.h"

#include <gtest/gtest.h>

namespace stoker::app {
namespace {

using namespace std::chrono_literals;

TEST(GatewayCounts, AreAskedForOnceASecond) {
    int asked = 0;
    GatewayCounts counts([&asked] {
        ++asked;
        gateway::ReplicaStatus status;
        status.id = "chat/a";
        status.outstanding = 2;
        status.requests_total = 10;
        status.failures_total = 1;
        return std::vector{status};
    });
    const SteadyTime start{1h};
    const auto count = counts.of("chat/a", start);
    ASSERT_TRUE(count.has_value());
    EXPECT_EQ(count->outstanding, 2);
    EXPECT_EQ(count->finished, 7);
    EXPECT_FALSE(counts.of("chat/b", start + 999ms).has_value());
    EXPECT_EQ(asked, 1);
    (void)counts.of("chat/a", start + 1s);
    EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace stoker::app
