#include "promql/number_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <random>

#include "promql/format.h"

namespace stoker::promql {
namespace {

std::string value_text(double value) {
    std::string text;
    append_sample_value(text, value);
    return text;
}

TEST(NumberText, ValuesAsTheSlowWayHasThem) {
    for (const double value : {0.0,
                               -0.0,
                               1.0,
                               -1.0,
                               0.1,
                               1.0 / 3,
                               1e-6,
                               9.99e-7,
                               1e15,
                               9007199254740991.0,
                               9007199254740992.0,
                               9007199254740993.5,
                               1e20,
                               1e21,
                               123456789.125,
                               -2.5e-7,
                               std::numeric_limits<double>::max(),
                               std::numeric_limits<double>::denorm_min(),
                               std::numeric_limits<double>::infinity(),
                               -std::numeric_limits<double>::infinity(),
                               std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_EQ(value_text(value), format_sample_value(value));
    }
    std::mt19937_64 random(7);
    for (int i = 0; i < 200'000; ++i) {
        const auto value = std::bit_cast<double>(random());
        ASSERT_EQ(value_text(value), format_sample_value(value)) << std::bit_cast<std::uint64_t>(value);
        const double usual = static_cast<double>(static_cast<std::int64_t>(random() >> 20)) / 1000;
        ASSERT_EQ(value_text(usual), format_sample_value(usual)) << usual;
    }
}

TEST(NumberText, Times) {
    for (const std::int64_t millis :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{-1500}, std::int64_t{1'600'000'000'000},
          std::int64_t{1'600'000'000'070}, std::numeric_limits<std::int64_t>::min(),
          std::numeric_limits<std::int64_t>::max()}) {
        std::string text;
        append_seconds(text, millis);
        EXPECT_EQ(text, format_seconds(millis));
    }
}

TEST(NumberText, Points) {
    std::string text;
    append_json_point(text, {1'500, 0.25});
    append_json_point(text, {-2'000, 1e300});
    EXPECT_EQ(text, R"([1.500,"0.25"][-2,"1e+300"])");
}

}  // namespace
}  // namespace stoker::promql
