#include "base/time_zone.h"

#include <gtest/gtest.h>

namespace stoker {
namespace {

using namespace std::chrono_literals;

double hours_at(const std::string& rule, std::string_view time) {
    return std::chrono::duration<double, std::ratio<3600>>(TimeZone::from_rule(rule)->offset_at(*parse_timestamp(time)))
        .count();
}

TEST(TimeZone, SummerBeginsAndEndsToTheSecond) {
    const std::string berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
    EXPECT_EQ(hours_at(berlin, "2026-01-15T12:00:00Z"), 1);
    EXPECT_EQ(hours_at(berlin, "2026-03-29T00:59:59Z"), 1);
    EXPECT_EQ(hours_at(berlin, "2026-03-29T01:00:00Z"), 2);
    EXPECT_EQ(hours_at(berlin, "2026-10-25T00:59:59Z"), 2);
    EXPECT_EQ(hours_at(berlin, "2026-10-25T01:00:00Z"), 1);
}

TEST(TimeZone, SouthOfTheEquatorAndOddRules) {
    const std::string sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
    EXPECT_EQ(hours_at(sydney, "2026-01-15T12:00:00Z"), 11);
    EXPECT_EQ(hours_at(sydney, "2026-07-15T12:00:00Z"), 10);
    EXPECT_EQ(hours_at("<+0330>-3:30", "2026-07-15T12:00:00Z"), 3.5);
    EXPECT_EQ(hours_at("NST3:30NDT,M3.2.0,M11.1.0", "2026-07-15T12:00:00Z"), -2.5);
    EXPECT_EQ(hours_at("XXX-1YYY,J60/0,J300/0", "2028-03-01T00:00:00Z"), 2);
    EXPECT_EQ(hours_at("XXX-1YYY,59/0,300/0", "2028-02-29T00:00:00Z"), 2);
}

TEST(TimeZone, NonsenseIsRefused) {
    for (const char* odd :
         {"", "C", "CET", "CET-1CEST", "CET-25", "CET-1CEST,M13.1.0,M1.1.0", "<+03", "CET-1CEST,M3.5.0,M10.5.0/3x"})
        EXPECT_FALSE(TimeZone::from_rule(odd)) << odd;
    EXPECT_EQ(TimeZone::find("Nowhere/Atall").error().code, Errc::NotFound);
    EXPECT_EQ(TimeZone::find("../../../etc/passwd").error().code, Errc::NotFound);
    EXPECT_EQ(TimeZone::find("/etc/localtime").error().code, Errc::NotFound);
}

TEST(TimeZone, KnowsTheSystemsZones) {
    EXPECT_EQ(TimeZone::find("UTC")->offset_at(now()), 0s);
    const auto kathmandu = TimeZone::find("Asia/Kathmandu");
    if (!kathmandu) GTEST_SKIP() << "no zoneinfo here";
    EXPECT_EQ(kathmandu->offset_at(now()), 5h + 45min);
}

}  // namespace
}  // namespace stoker
