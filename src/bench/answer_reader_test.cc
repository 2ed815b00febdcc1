#include "bench/answer_reader.h"

#include <gtest/gtest.h>

namespace stoker::bench {
namespace {

using State = AnswerReader::State;

// Feeds in pieces of `step` bytes; the state after the last.
State feed(AnswerReader& reader, std::string_view text, std::size_t step) {
    reader.reset();
    for (std::size_t at = 0; at < text.size(); at += step) reader.feed(text.substr(at, step));
    return reader.state();
}

TEST(AnswerReader, FindsTheEndWhereverTheBytesAreSplit) {
    const std::string length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    const std::string chunked =
        "HTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
    AnswerReader reader;
    for (std::size_t step = 1; step < 80; ++step) {
        EXPECT_EQ(feed(reader, length, step), State::Done) << step;
        EXPECT_EQ(reader.status(), 200);
        EXPECT_TRUE(reader.body_begun());
        EXPECT_EQ(feed(reader, chunked, step), State::Done) << step;
        EXPECT_EQ(reader.status(), 503);
        EXPECT_NE(feed(reader, chunked.substr(0, chunked.size() - 1), step), State::Done) << step;
    }
}

TEST(AnswerReader, RefusesWhatIsNotHttp) {
    AnswerReader reader;
    EXPECT_EQ(feed(reader, "hello\r\n\r\n", 3), State::Malformed);
    EXPECT_EQ(feed(reader, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 7), State::Malformed);
}

}  // namespace
}  // namespace stoker::bench
