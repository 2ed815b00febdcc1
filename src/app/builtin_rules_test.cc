#include "app/builtin_rules.h"

#include <gtest/gtest.h>

namespace stoker::app {
namespace {

TEST(BuiltinRules, ParseAndAreNotFew) {
    auto groups = builtin_rules();
    ASSERT_FALSE(groups.empty());
    std::size_t rules = 0;
    for (const auto& group : groups) rules += group.rules.size();
    EXPECT_GE(rules, 10u);
}

}  // namespace
}  // namespace stoker::app
