#include "collect/engine/version_range.h"

#include <gtest/gtest.h>

namespace stoker::collect {
namespace {

TEST(VersionRange, Contains) {
    struct Row {
        const char* range;
        const char* version;
        bool want;
    };
    const Row rows[] = {
        {"", "0.8", true},
        {"", "", true},
        {"<0.9", "", false},
        {"<0.9", "dev", false},
        {"<0.9", "0.8.5", true},
        {"<0.9", "0.9", false},
        {"<0.9", "0.9.0", false},
        {"<0.9", "0.10.1", false},
        {">=0.8 <0.11", "0.8", true},
        {">=0.8 <0.11", "0.11.0rc1", false},
        {">0.8", "v0.8.1", true},
        {"=1.2", "1.2.0", true},
        {"<=1.2", "1.2.1", false},
        {">=6000", "b6123-de3ff81", true},
        {"<6000", "b6123-de3ff81", false},
    };
    for (const auto& row : rows) {
        const auto range = VersionRange::parse(row.range);
        ASSERT_TRUE(range.has_value()) << row.range;
        EXPECT_EQ(range->contains(row.version), row.want) << row.range << " and " << row.version;
    }
    for (const char* bad : {"0.8", "~0.8", "<", ">= 0.8", "<x"})
        EXPECT_FALSE(VersionRange::parse(bad).has_value()) << bad;
}

TEST(VersionNumbers, HugeOnesDoNotOverflow) {
    EXPECT_EQ(version_numbers("99999999999999999999.1").front(), 1'000'000'000);
    EXPECT_TRUE(version_numbers("").empty());
}

}  // namespace
}  // namespace stoker::collect
