#include "net/sse.h"

#include <gtest/gtest.h>

#include <random>

namespace stoker::net {
namespace {

// Events as "event|id|data|raw", escaped so that a failure can be read.
std::string show(std::string_view text) {
    std::string out;
    for (const char c : text) out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : std::string(1, c);
    return out;
}

// Feeds `pieces` and lists the events, then what was left.
std::vector<std::string> events_of(const std::vector<std::string>& pieces) {
    SseParser parser;
    std::vector<std::string> events;
    auto note = [&events](const SseEvent& event) {
        events.push_back(show(event.event) + "|" + show(event.id) + "|" + show(event.data) + "|" + show(event.raw));
    };
    for (const auto& piece : pieces) EXPECT_TRUE(parser.feed(piece, note));
    parser.finish(note);
    if (!parser.pending().empty()) events.push_back("pending " + show(parser.pending()));
    return events;
}

using List = std::vector<std::string>;

TEST(SseParser, ReadsFields) {
    EXPECT_EQ(events_of({"data: a\n\n"}), List{R"(||a|data: a\n\n)"});
    EXPECT_EQ(events_of({"data:a\n\n"}), List{R"(||a|data:a\n\n)"});
    EXPECT_EQ(events_of({"data:  a\n\n"}), List{R"(|| a|data:  a\n\n)"});
    EXPECT_EQ(events_of({"event: e\nid: 7\nretry: 1\ndata: a\ndata: b\n\n"}),
              List{R"(e|7|a\nb|event: e\nid: 7\nretry: 1\ndata: a\ndata: b\n\n)"});
    EXPECT_EQ(events_of({"data\n\n"}), List{R"(|||data\n\n)"});
    EXPECT_EQ(events_of({"data\ndata\ndata: x\n\n"}), List{R"(||\n\nx|data\ndata\ndata: x\n\n)"});
    EXPECT_EQ(events_of({"data: {\"a\":1}\n\n"}), List{R"(||{"a":1}|data: {"a":1}\n\n)"});
    EXPECT_EQ(events_of({"Data: a\n\n"}), List{R"(|||Data: a\n\n)"});
}

TEST(SseParser, CommentsAndKeepAlivesComeAsEventsWithoutData) {
    EXPECT_EQ(events_of({": ping\n\n:\n\n\n"}), (List{R"(|||: ping\n\n)", R"(|||:\n\n)", R"(|||\n)"}));
}

TEST(SseParser, AllLineEndings) {
    EXPECT_EQ(events_of({"data: a\r\n\r\ndata: b\r\rdata: c\n\n"}),
              (List{R"(||a|data: a\r\n\r\n)", R"(||b|data: b\r\r)", R"(||c|data: c\n\n)"}));
    EXPECT_EQ(events_of({"data: a\r\ndata: b\rdata: c\n\r\n"}), List{R"(||a\nb\nc|data: a\r\ndata: b\rdata: c\n\r\n)"});
}

TEST(SseParser, SkipsAByteOrderMarkOnlyAtTheStart) {
    EXPECT_EQ(events_of({"\xEF\xBB\xBF"
                         "data: a\n\n"}),
              List{"||a|\xEF\xBB\xBF"
                   R"(data: a\n\n)"});
    EXPECT_EQ(events_of({"data: a\n\n\xEF\xBB\xBF"
                         "data: b\n\n"}),
              (List{R"(||a|data: a\n\n)",
                    "|||\xEF\xBB\xBF"
                    R"(data: b\n\n)"}));
}

TEST(SseParser, KeepsWhatHasNotEnded) {
    EXPECT_EQ(events_of({"data: a\n\ndata: b\n"}), (List{R"(||a|data: a\n\n)", R"(pending data: b\n)"}));
    EXPECT_EQ(events_of({"data: a\r\r"}), List{R"(||a|data: a\r\r)"});
}

TEST(SseParser, EverySplitGivesTheSameEvents) {
    const std::string stream =
        "\xEF\xBB\xBF: hi\n\nevent: x\r\nid: 1\r\ndata: a\r\ndata: b\r\n\r\ndata: c\r\rdata\n\n\r\n\r\ndata: "
        "d\r\n\n\n\rdata: e";
    const auto whole = events_of({stream});
    EXPECT_GE(whole.size(), 8u);
    std::vector<std::string> bytes;
    for (const char c : stream) bytes.emplace_back(1, c);
    EXPECT_EQ(events_of(bytes), whole);
    for (std::size_t i = 0; i <= stream.size(); ++i) {
        for (std::size_t j = i; j <= stream.size(); ++j) {
            ASSERT_EQ(events_of({stream.substr(0, i), stream.substr(i, j - i), stream.substr(j)}), whole)
                << i << " " << j;
        }
    }
}

TEST(SseParser, RawTextsAddUpToTheStream) {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        std::string stream;
        for (int i = 0; i < 60; ++i) stream += "\r\n:da t"[random() % 7];
        SseParser parser;
        std::string raw;
        auto note = [&raw](const SseEvent& event) { raw += event.raw; };
        for (std::size_t at = 0; at < stream.size();) {
            const auto size = 1 + random() % 9;
            ASSERT_TRUE(parser.feed(std::string_view(stream).substr(at, size), note));
            at += size;
        }
        EXPECT_EQ(raw + std::string(parser.pending()), stream);
    }
}

TEST(SseParser, RefusesEventsPastTheLimit) {
    auto ignore = [](const SseEvent&) {};
    SseParser whole(20);
    EXPECT_TRUE(whole.feed("data: 0123456789\n\n", ignore));
    EXPECT_EQ(whole.feed("data: 0123456789abcdef\n\n", ignore).error().code, Errc::ResourceExhausted);
    SseParser pieces(20);
    EXPECT_TRUE(pieces.feed("data: 0123456789abcd", ignore));
    EXPECT_EQ(pieces.feed("e", ignore).error().code, Errc::ResourceExhausted);
}

TEST(SseParser, ByteByByteIsLinear) {
    const std::string body(400'000, 'x');
    SseParser parser;
    std::size_t size = 0;
    auto note = [&size](const SseEvent& event) { size = event.data.size(); };
    const auto start = std::chrono::steady_clock::now();
    ASSERT_TRUE(parser.feed("data: ", note));
    for (const char& c : body) ASSERT_TRUE(parser.feed({&c, 1}, note));
    ASSERT_TRUE(parser.feed("\n\n", note));
    EXPECT_EQ(size, body.size());
    // Quadratic would be 80 billion steps.
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

}  // namespace
}  // namespace stoker::net
