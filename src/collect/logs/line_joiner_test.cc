#include "collect/logs/line_joiner.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace stoker::collect {
namespace {

using namespace std::chrono_literals;

// Pushes the lines of a text, a second apart each if `slow`, and shows the entries with '|' between, '/' for line ends.
std::string join_all(std::string_view text, JoinOptions options = {}) {
    LineJoiner joiner(std::move(options));
    std::string out;
    const auto add = [&out](const std::optional<JoinedLines>& entry) {
        if (!entry) return;
        if (!out.empty()) out += '|';
        for (const char c : entry->text) out += c == '\n' ? '/' : c;
    };
    for (const auto line : split(text, '\n')) add(joiner.push(line, 0, {}));
    add(joiner.take());
    return out;
}

TEST(LineJoiner, IndentedLinesGoOn) {
    EXPECT_EQ(join_all("a\n  b\n\tc\nd"), "a/  b/\tc|d");
    EXPECT_EQ(join_all("  first\nb"), "  first|b");
}

TEST(LineJoiner, PythonTraceback) {
    EXPECT_EQ(join_all("ERROR it failed\nTraceback (most recent call last):\n  File x\nRuntimeError: no\nINFO next"),
              "ERROR it failed/Traceback (most recent call last):/  File x/RuntimeError: no|INFO next");
    EXPECT_EQ(
        join_all("Traceback (most recent call last):\n  x\nKeyError: 1\n\nDuring handling of the above exception, "
                 "another exception occurred:\n\nTraceback (most recent call last):\n  y\nE: 2\nnext"),
        "Traceback (most recent call last):/  x/KeyError: 1//During handling of the above exception, another "
        "exception occurred://Traceback (most recent call last):/  y/E: 2|next");
}

TEST(LineJoiner, JavaCause) {
    EXPECT_EQ(join_all("E: x\n\tat a\nCaused by: y\n\tat b\nz"), "E: x/\tat a/Caused by: y/\tat b|z");
}

TEST(LineJoiner, Pattern) {
    JoinOptions options;
    options.start = std::make_shared<const RE2>(R"(^\d{4}-)");
    EXPECT_EQ(join_all("2026-1 a\nb\nc\n2026-2 d", options), "2026-1 a/b/c|2026-2 d");
}

TEST(LineJoiner, Bounds) {
    EXPECT_EQ(join_all("a\n b\n c\n d", {.max_lines = 2}), "a/ b| c/ d");
    EXPECT_EQ(join_all("aaaa\n bbb\n ccc", {.max_bytes = 9}), "aaaa/ bbb| ccc");
}

TEST(LineJoiner, WaitsForTheNextLine) {
    LineJoiner joiner({.wait = 500ms});
    const SteadyTime start{10s};
    EXPECT_FALSE(joiner.push("a", 7, start));
    EXPECT_EQ(joiner.pending(), 7U);
    EXPECT_FALSE(joiner.take_idle(start + 499ms));
    const auto entry = joiner.take_idle(start + 500ms);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->begin, 7U);
    EXPECT_FALSE(joiner.pending());
}

}  // namespace
}  // namespace stoker::collect
