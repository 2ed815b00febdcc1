#include "net/parser.h"

#include <gtest/gtest.h>

namespace stoker::net::internal {
namespace {

constexpr std::string_view kNames[] = {"ok", "more", "malformed", "large"};

// Parses a request and shows "state" or "body" with done-ness, body pieces joined.
std::string request(std::string_view bytes) {
    RequestParser parser(1024);
    RequestHead head;
    auto step = parser.parse_head(bytes, head);
    if (step.state != ParseState::Ok) return std::string(kNames[static_cast<int>(step.state)]);
    std::string body = "body ";
    while (!parser.done()) {
        bytes.remove_prefix(step.consumed);
        step = parser.parse_body(bytes);
        body += step.piece;
        if (step.state != ParseState::Ok) return body + " " + std::string(kNames[static_cast<int>(step.state)]);
    }
    return body;
}

std::string post(std::string_view fields, std::string_view body) {
    return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

TEST(RequestParser, FramesBodies) {
    EXPECT_EQ(request(post("", "")), "body ");
    EXPECT_EQ(request(post("Content-Length: 3\r\n", "abcdef")), "body abc");
    EXPECT_EQ(request(post("Content-Length: 3\r\n", "ab")), "body ab more");
    EXPECT_EQ(request(post("Transfer-Encoding: chunked\r\n", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")), "body abc");
    EXPECT_EQ(request(post("Transfer-Encoding: Chunked\r\n", "A;x=\"y\"\r\n0123456789\r\n0\r\nT: 1\r\n\r\n")),
              "body 0123456789");
    EXPECT_EQ(request(post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")), "body abc");
}

TEST(RequestParser, RefusesWhatTwoServersCouldReadDifferently) {
    const std::string_view fields[] = {
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 3, 4\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: -3\r\n",
        "Content-Length: 0x3\r\n",
        "Content-Length: 3 3\r\n",
        "Content-Length: \r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding\t: chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: a\r\n Transfer-Encoding: chunked\r\n",
        "X: a\r\n\tb\r\n",
        "X: a\rb\r\n",
        "X: a\nY: b\r\n",
        "X\r\n",
        ": x\r\n",
        "X(: y\r\n",
    };
    for (const auto field : fields) EXPECT_EQ(request(post(field, "3\r\nabc\r\n0\r\n\r\n")), "malformed") << field;
    EXPECT_EQ(request(post(std::string_view("X: a\0b\r\n", 9), "")), "malformed");
    EXPECT_EQ(request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "malformed");
}

TEST(RequestParser, RefusesBadRequestLines) {
    for (const auto* line : {"GET /\r\n", "GET / HTTP/2.0\r\n", "GET / HTTP/1.2\r\n", "GET / HTTP/1.1 \r\n",
                             "GET  / HTTP/1.1\r\n", "G(T / HTTP/1.1\r\n", " GET / HTTP/1.1\r\n", "GET / http/1.1\r\n",
                             "GET /a b HTTP/1.1\r\n", "\x16\x03\x01\x02\r\n"}) {
        EXPECT_EQ(request(std::string(line) + "Host: h\r\n\r\n"), "malformed") << line;
    }
}

TEST(RequestParser, RefusesBadChunks) {
    for (const auto* body : {"x\r\n", "-1\r\na\r\n", " 1\r\na\r\n", "1\na\r\n", "1\r\nabcd\r\n", "1 \r\na\r\n",
                             "10000000000000000\r\n", "1;\r\n\r\na\r\n", "0\r\nT\r\n\r\n"}) {
        const auto got = request(post("Transfer-Encoding: chunked\r\n", body));
        EXPECT_NE(got.find("malformed"), std::string::npos) << body << ": " << got;
    }
}

TEST(RequestParser, LimitsTheHead) {
    EXPECT_EQ(request(post("X: " + std::string(2000, 'x') + "\r\n", "")), "large");
    EXPECT_EQ(request("GET /" + std::string(2000, 'x')), "large");
    EXPECT_EQ(request("GET /" + std::string(500, 'x')), "more");
    std::string many;
    for (int i = 0; i < 300; ++i) many += "a:\r\n";
    RequestParser parser(64 * 1024);
    RequestHead head;
    EXPECT_EQ(parser.parse_head(post(many, ""), head).state, ParseState::HeadTooLarge);
}

TEST(RequestParser, FindsFoldsAcrossCuts) {
    const std::string whole = post("X: a\r\n b\r\n", "");
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        RequestParser parser(1024);
        RequestHead head;
        auto step = parser.parse_head(std::string_view(whole).substr(0, cut), head);
        if (step.state == ParseState::NeedMore)
            step = parser.parse_head(std::string_view(whole).substr(step.consumed), head);
        EXPECT_EQ(step.state, ParseState::Malformed) << cut;
    }
}

TEST(RequestParser, LimitsAHeadThatComesInPieces) {
    RequestParser parser(1024);
    RequestHead head;
    EXPECT_EQ(parser.parse_head("GET / HTTP/1.1\r\n", head).state, ParseState::NeedMore);
    auto state = ParseState::NeedMore;
    int lines = 0;
    while (state == ParseState::NeedMore && lines < 200) {
        state = parser.parse_head("Name: 0123456789\r\nX", head).state;
        ++lines;
    }
    EXPECT_EQ(state, ParseState::HeadTooLarge);
    EXPECT_LE(lines, 64);
}

TEST(RequestParser, EveryCutGivesTheSameMessage) {
    const std::string whole =
        post("Transfer-Encoding: chunked\r\nA: b\r\n", "3\r\nabc\r\n0a\r\n0123456789\r\n0\r\n\r\n");
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        RequestParser parser(1024);
        RequestHead head;
        std::string buffer = whole.substr(0, cut);
        std::string body;
        bool fed = false;
        bool in_body = false;
        while (!in_body || !parser.done()) {
            const auto step = in_body ? parser.parse_body(buffer) : parser.parse_head(buffer, head);
            body += step.piece;
            ASSERT_LE(step.consumed, buffer.size());
            buffer.erase(0, step.consumed);
            if (step.state == ParseState::Ok) {
                in_body = true;
                continue;
            }
            ASSERT_EQ(step.state, ParseState::NeedMore) << cut;
            ASSERT_FALSE(fed) << cut;
            fed = true;
            buffer += whole.substr(cut);
        }
        EXPECT_EQ(body, "abc0123456789");
        EXPECT_EQ(head.headers.size(), 3u);
        EXPECT_EQ(head.headers.get("a"), "b");
    }
}

TEST(RequestParser, KnowsExpectationsAndVersions) {
    RequestParser parser(1024);
    RequestHead head;
    parser.parse_head(post("Expect: 100-Continue\r\nContent-Length: 1\r\n", ""), head);
    EXPECT_EQ(parser.expectation(), Expectation::Continue);
    EXPECT_TRUE(parser.keep_alive());
    parser.reset();
    parser.parse_head("GET / HTTP/1.0\r\nExpect: cake\r\n\r\n", head);
    EXPECT_EQ(parser.expectation(), Expectation::Unknown);
    EXPECT_EQ(parser.minor_version(), 0);
    EXPECT_FALSE(parser.keep_alive());
}

TEST(RequestParser, TrailersDoNotBecomeHeaders) {
    RequestParser parser(1024);
    RequestHead head;
    const std::string bytes = post("Transfer-Encoding: chunked\r\n", "0\r\nAuthorization: x\r\n\r\n");
    const auto step = parser.parse_head(bytes, head);
    EXPECT_EQ(parser.parse_body(std::string_view(bytes).substr(step.consumed)).state, ParseState::Ok);
    EXPECT_TRUE(parser.done());
    EXPECT_EQ(head.headers.get("authorization"), std::nullopt);
}

TEST(ResponseParser, FramesByStatusAndMethod) {
    struct Row {
        const char* head;
        bool to_head_request;
        bool done_at_once;
        bool done_at_eof;
    };
    const Row rows[] = {
        {"HTTP/1.1 200 OK\r\n\r\n", false, false, true},
        {"HTTP/1.1 200 OK\r\n\r\n", true, true, true},
        {"HTTP/1.1 204 No Content\r\n\r\n", false, true, true},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false, true, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true, true, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", false, false, false},
        {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", false, true, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, false, false},
        {"HTTP/1.1 100 Continue\r\n\r\n", false, true, true},
    };
    for (const Row& row : rows) {
        ResponseParser parser(1024);
        ResponseHead head;
        if (row.to_head_request) parser.expect_no_body();
        ASSERT_EQ(parser.parse_head(row.head, head).state, ParseState::Ok) << row.head;
        EXPECT_EQ(parser.done(), row.done_at_once) << row.head;
        EXPECT_EQ(parser.finish_at_eof(), row.done_at_eof) << row.head;
    }
}

}  // namespace
}  // namespace stoker::net::internal
