#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace stoker {
namespace {

Result<int> length(const std::string& text) {
    if (text.empty()) return Error{Errc::InvalidArgument, "empty"};
    return static_cast<int>(text.size());
}

Result<std::unique_ptr<int>> sum(const std::string& a, const std::string& b) {
    TRY(int m, length(a));
    TRY(int n, length(b));
    return std::make_unique<int>(m + n);
}

Result<Unit> both(const std::string& a, const std::string& b) {
    TRY_UNIT(sum(a, b));
    return Unit{};
}

TEST(Result, TryBindsMoveOnlyValues) {
    EXPECT_EQ(**sum("ab", "cde"), 5);
}

TEST(Result, TryReturnsTheFirstError) {
    auto failed = sum("ab", "");
    ASSERT_FALSE(failed);
    EXPECT_EQ(std::move(failed).error().context("sum").message, "sum: empty");
}

TEST(Result, TryUnitPassesErrorsOn) {
    EXPECT_TRUE(both("a", "b"));
    EXPECT_EQ(both("a", "").error().code, Errc::InvalidArgument);
}

TEST(Result, DefaultIsAnError) {
    EXPECT_EQ(Result<int>().error().code, Errc::Internal);
}

}  // namespace
}  // namespace stoker
