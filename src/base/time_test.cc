#include "base/time.h"

#include <gtest/gtest.h>

#include <limits>

namespace stoker {
namespace {

using namespace std::chrono_literals;

// Milliseconds, or -1 if the text is refused.
std::int64_t duration(std::string_view text) {
    const auto parsed = parse_duration(text);
    return parsed ? parsed->count() : -1;
}

TEST(Duration, ReadsPrometheusSyntax) {
    EXPECT_EQ(duration("0"), 0);
    EXPECT_EQ(duration("0s"), 0);
    EXPECT_EQ(duration("250ms"), 250);
    EXPECT_EQ(duration("15s"), 15'000);
    EXPECT_EQ(duration("1h30m"), 5'400'000);
    EXPECT_EQ(duration("1y2w3d4h5m6s7ms"), Duration(365 * 24h + 14 * 24h + 3 * 24h + 4h + 5min + 6s + 7ms).count());
    EXPECT_EQ(duration("90m"), 5'400'000);
}

TEST(Duration, RefusesWhatPrometheusRefuses) {
    for (const char* text : {"", "1", "s", "-1s", "+1s", "1.5s", "1s1h", "1s1s", "1 s", " 1s", "1s ", "1S", "1x", "ms1",
                             "1mss", "99999999999999999999s", "300000000y"}) {
        EXPECT_EQ(duration(text), -1) << text;
    }
}

TEST(Duration, ErrorSaysWhatToWrite) {
    EXPECT_EQ(parse_duration("15").error().message,
              "'15' is not a duration: write a number with a unit, such as 250ms, 15s, 1m30s or 2h");
}

TEST(Duration, FormatIsTheShortestThatReadsBack) {
    EXPECT_EQ(format_duration(0ms), "0s");
    EXPECT_EQ(format_duration(90s), "1m30s");
    EXPECT_EQ(format_duration(1500ms), "1s500ms");
    EXPECT_EQ(format_duration(24h), "1d");
    EXPECT_EQ(format_duration(8 * 24h), "8d");
    EXPECT_EQ(format_duration(14 * 24h), "2w");
    EXPECT_EQ(format_duration(-90s), "-1m30s");
    EXPECT_EQ(format_duration(Duration::min()).front(), '-');
    for (std::int64_t millis = 1; millis > 0 && millis < std::numeric_limits<std::int64_t>::max() / 7; millis *= 7) {
        EXPECT_EQ(duration(format_duration(Duration{millis})), millis);
    }
}

// Milliseconds since 1970, or -1 if the text is refused.
std::int64_t timestamp(std::string_view text) {
    const auto parsed = parse_timestamp(text);
    return parsed ? to_millis(*parsed) : -1;
}

TEST(Timestamp, ReadsRfc3339) {
    EXPECT_EQ(timestamp("1970-01-01T00:00:00Z"), 0);
    EXPECT_EQ(timestamp("2026-11-22T10:00:00Z"), 1'795'341'600'000);
    EXPECT_EQ(timestamp("2026-11-22T10:00:00.5Z"), 1'795'341'600'500);
    EXPECT_EQ(timestamp("2026-11-22t10:00:00.123456789z"), 1'795'341'600'123);
    EXPECT_EQ(timestamp("2026-11-22 18:00:00+08:00"), 1'795'341'600'000);
    EXPECT_EQ(timestamp("2026-11-22T04:30:00-05:30"), 1'795'341'600'000);
    EXPECT_EQ(timestamp("2024-02-29T00:00:00Z"), 1'709'164'800'000);
}

TEST(Timestamp, ReadsSecondsWithFraction) {
    EXPECT_EQ(timestamp("0"), 0);
    EXPECT_EQ(timestamp("1795341600.5"), 1'795'341'600'500);
    EXPECT_EQ(timestamp("1.001"), 1'001);
    EXPECT_EQ(timestamp("-1.5"), -1'500);
    EXPECT_EQ(timestamp("1.7953416e9"), 1'795'341'600'000);
}

TEST(Timestamp, RefusesOtherTexts) {
    for (const char* text :
         {"", "now", "2026-11-22", "2026-11-22T10:00:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
          "2026-11-22T24:00:00Z", "2026-11-22T10:60:00Z", "2026-11-22T10:00:61Z", "2026-11-22T10:00:00.Z",
          "2026-11-22T10:00:00+8:00", "2026-11-22T10:00:00Zx", "1e300", "nan", "inf", "1s"}) {
        EXPECT_EQ(timestamp(text), -1) << text;
    }
}

TEST(Timestamp, FormatsWithMilliseconds) {
    EXPECT_EQ(format_timestamp(from_millis(1'795'341'600'500)), "2026-11-22T10:00:00.500Z");
    EXPECT_EQ(format_timestamp(from_millis(-1)), "1969-12-31T23:59:59.999Z");
}

TEST(Timestamp, NowAgreesWithItself) {
    const Timestamp before = now();
    const std::int64_t nanos = now_nanos();
    EXPECT_LE(to_millis(before), nanos / 1'000'000);
    EXPECT_LE(nanos / 1'000'000, to_millis(now()));
}

}  // namespace
}  // namespace stoker
