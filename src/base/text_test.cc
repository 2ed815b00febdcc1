#include "base/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace stoker {
namespace {

using Parts = std::vector<std::string_view>;

TEST(Text, TrimAndSplit) {
    EXPECT_EQ(trim(" \t a b \r\n"), "a b");
    EXPECT_EQ(trim(" \n"), "");
    EXPECT_EQ(split("a,,b", ','), (Parts{"a", "", "b"}));
    EXPECT_EQ(split("", ','), Parts{""});
    EXPECT_EQ(split("a,", ','), (Parts{"a", ""}));
    EXPECT_EQ(join(std::vector<std::string>{"a", "b"}, ", "), "a, b");
}

TEST(Text, CaseIsAsciiOnly) {
    EXPECT_EQ(to_lower("AbZ\xC3\x84"), "abz\xC3\x84");
    EXPECT_TRUE(equals_ignore_case("Content-Type", "content-TYPE"));
    EXPECT_FALSE(equals_ignore_case("a", "ab"));
}

TEST(Text, EditDistance) {
    EXPECT_EQ(edit_distance("", ""), 0U);
    EXPECT_EQ(edit_distance("abc", ""), 3U);
    EXPECT_EQ(edit_distance("listen", "listen"), 0U);
    EXPECT_EQ(edit_distance("lisetn", "listen"), 1U);
    EXPECT_EQ(edit_distance("liste", "listen"), 1U);
    EXPECT_EQ(edit_distance("listenn", "listen"), 1U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
    EXPECT_EQ(edit_distance("ab", "ba"), 1U);
}

TEST(Text, NearestName) {
    const std::vector<std::string> names = {"listen", "timeout", "max_attempts", "on"};
    EXPECT_EQ(nearest_name("lisen", names), "listen");
    EXPECT_EQ(nearest_name("Timeout", names), "timeout");
    EXPECT_EQ(nearest_name("max-attempt", names), "max_attempts");
    EXPECT_EQ(nearest_name("om", names), "on");
    EXPECT_EQ(nearest_name("xy", names), std::nullopt);
    EXPECT_EQ(nearest_name("replicas", names), std::nullopt);
    EXPECT_EQ(nearest_name("", names), std::nullopt);
    EXPECT_EQ(nearest_name(std::string(1'000'000, 'x'), names), std::nullopt);
}

TEST(Text, NumbersLookAsPrometheusWritesThem) {
    EXPECT_EQ(format_number(0), "0");
    EXPECT_EQ(format_number(1), "1");
    EXPECT_EQ(format_number(-2.5), "-2.5");
    EXPECT_EQ(format_number(0.005), "0.005");
    EXPECT_EQ(format_number(0.0001), "0.0001");
    EXPECT_EQ(format_number(0.00001), "1e-05");
    EXPECT_EQ(format_number(100000), "100000");
    EXPECT_EQ(format_number(1e6), "1e+06");
    EXPECT_EQ(format_number(123456789), "1.23456789e+08");
    EXPECT_EQ(format_number(163.84), "163.84");
    EXPECT_EQ(format_number(0.1 + 0.2), "0.30000000000000004");
    EXPECT_EQ(format_number(1e300), "1e+300");
    EXPECT_EQ(format_number(std::numeric_limits<double>::infinity()), "+Inf");
    EXPECT_EQ(format_number(-std::numeric_limits<double>::infinity()), "-Inf");
    EXPECT_EQ(format_number(std::numeric_limits<double>::quiet_NaN()), "NaN");
}

TEST(Text, ParsesWholeNumbersOnly) {
    EXPECT_EQ(parse_number("1.5e3"), 1500);
    EXPECT_EQ(parse_number("+2"), 2);
    EXPECT_EQ(parse_number("2 "), std::nullopt);
    EXPECT_EQ(parse_number("+-2"), std::nullopt);
    EXPECT_EQ(parse_number(""), std::nullopt);
    EXPECT_EQ(parse_integer("-7"), -7);
    EXPECT_EQ(parse_integer("7.0"), std::nullopt);
    EXPECT_EQ(parse_integer("9223372036854775808"), std::nullopt);
}

TEST(Text, QuotesJson) {
    EXPECT_EQ(quote_json("a\"\\\n\t\x01"), R"("a\"\\\n\t\u0001")");
    EXPECT_EQ(quote_json("中文 😀"), "\"中文 😀\"");
    // Overlong, surrogate, cut short, above the last code point: one replacement for each byte.
    EXPECT_EQ(quote_json("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    EXPECT_EQ(quote_json("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    EXPECT_EQ(quote_json("\xE4\xB8"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    EXPECT_EQ(quote_json("\xF4\x90\x80\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace stoker
