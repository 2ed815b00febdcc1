#include "base/log_limit.h"

#include <gtest/gtest.h>

namespace stoker::log {
namespace {

TEST(LineLimit, AMessageThatComesTooOftenIsCountedInstead) {
    LineLimit limit;
    const SteadyTime start{};
    for (int i = 0; i < LineLimit::kMost; ++i) EXPECT_EQ(limit.admit("lost", start), 0U);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(limit.admit("lost", start + std::chrono::seconds(9)), std::nullopt);
    EXPECT_EQ(limit.admit("other", start), 0U);
    EXPECT_EQ(limit.admit("lost", start + LineLimit::kWindow), 1000U);
    EXPECT_EQ(limit.admit("lost", start + LineLimit::kWindow), 0U);
}

TEST(LineLimit, ItsMemoryIsBounded) {
    LineLimit limit;
    const SteadyTime start{};
    for (int i = 0; i < 10'000; ++i) EXPECT_EQ(limit.admit("message " + std::to_string(i), start), 0U);
    const SteadyTime later = start + LineLimit::kWindow;
    for (int i = 0; i < LineLimit::kMost; ++i) limit.admit("new", later);
    EXPECT_EQ(limit.admit("new", later), std::nullopt);  // Old ones made room.
}

}  // namespace
}  // namespace stoker::log
