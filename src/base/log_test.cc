#include <gtest/gtest.h>

#include <limits>

#include "base/log_format.h"

namespace stoker::log {
namespace {

const Timestamp kTime = from_millis(1'795'341'600'123);

TEST(LogText, ShowsTimeLevelMessageAndFields) {
    EXPECT_EQ(text_line(kTime, Level::Info, "engine ejected", {{"replica", "chat/127.0.0.1:9001"}, {"attempt", 2}}),
              "2026-11-22T10:00:00.123Z INFO  engine ejected replica=chat/127.0.0.1:9001 attempt=2");
}

TEST(LogText, QuotesWhatCouldBeMisread) {
    EXPECT_EQ(text_line(kTime, Level::Warn, "m", {{"a", ""}, {"b", "x y"}, {"c", "k=v"}, {"d", "say \"hi\""}}),
              R"(2026-11-22T10:00:00.123Z WARN  m a="" b="x y" c="k=v" d="say \"hi\"")");
}

TEST(LogText, NobodyCanForgeALine) {
    const std::string line = text_line(kTime, Level::Error, "bad\nline", {{"user", "x\n2026-11-22 INFO fine\x1b[2J"}});
    EXPECT_EQ(line, R"(2026-11-22T10:00:00.123Z ERROR "bad\nline" user="x\n2026-11-22 INFO fine\u001b[2J")");
}

TEST(LogJson, KeepsNumbersAndBoolsBare) {
    EXPECT_EQ(json_line(kTime, Level::Debug, "m", {{"n", 7}, {"x", 0.25}, {"ok", true}, {"text", "a\"b"}}),
              R"({"time":"2026-11-22T10:00:00.123Z","level":"debug","message":"m","n":7,"x":0.25,"ok":true,)"
              R"("text":"a\"b"})");
}

TEST(LogJson, IsValidWhateverTheValues) {
    EXPECT_EQ(json_line(kTime, Level::Info, "m", {{"x", std::numeric_limits<double>::quiet_NaN()}, {"b", "\xff\n"}}),
              "{\"time\":\"2026-11-22T10:00:00.123Z\",\"level\":\"info\",\"message\":\"m\",\"x\":\"NaN\","
              "\"b\":\"\xEF\xBF\xBD\\n\"}");
}

// What `write` puts on standard error.
std::string written(Level minimum, Format format, Level level) {
    configure(minimum, format);
    testing::internal::CaptureStderr();
    write(level, "hello {} %s", {{"n", 1}});
    configure(Level::Info, Format::Text);
    return testing::internal::GetCapturedStderr();
}

TEST(Log, WritesFromTheConfiguredLevel) {
    EXPECT_EQ(written(Level::Warn, Format::Text, Level::Info), "");
    EXPECT_TRUE(written(Level::Warn, Format::Text, Level::Warn).ends_with(" WARN  hello {} %s n=1\n"));
    EXPECT_TRUE(written(Level::Debug, Format::Json, Level::Debug).ends_with("\"message\":\"hello {} %s\",\"n\":1}\n"));
    EXPECT_EQ(written(Level::Off, Format::Text, Level::Error), "");
}

TEST(Log, LevelsHaveNames) {
    for (Level level : {Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Off}) {
        EXPECT_EQ(parse_level(to_string(level)), level);
    }
    EXPECT_EQ(parse_level("loud"), std::nullopt);
}

}  // namespace
}  // namespace stoker::log
