#include "net/http.h"

#include <gtest/gtest.h>

#include "net/serialize.h"

namespace stoker::net {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(Headers, ComparesNamesWithoutCase) {
    Headers headers{{"Content-Type", "a"}, {"X", "1"}, {"content-type", "b"}};
    EXPECT_EQ(headers.get("CONTENT-TYPE"), "a");
    headers.set("Content-type", "c");
    EXPECT_EQ(headers.size(), 2u);
    EXPECT_EQ(headers.get("content-type"), "c");
    headers.erase("x");
    EXPECT_EQ(headers.get("X"), std::nullopt);
    headers.set("New", "n");
    EXPECT_EQ(headers.get("new"), "n");
}

TEST(RequestHead, SplitsTargets) {
    struct Row {
        const char* target;
        const char* path;
        const char* query;
    };
    const Row rows[] = {
        {"/", "/", ""},
        {"/a/b?x=1&y", "/a/b", "x=1&y"},
        {"/a?", "/a", ""},
        {"/a?b?c", "/a", "b?c"},
        {"http://host/p?q=1", "/p", "q=1"},
        {"http://host:80", "/", ""},
        {"http://host?q", "/", "q"},
        {"*", "*", ""},
        {"/a#f", "/a", ""},
        {"/x?u=http://y/z", "/x", "u=http://y/z"},
    };
    for (const Row& row : rows) {
        RequestHead head;
        head.target = row.target;
        EXPECT_EQ(head.path(), row.path) << row.target;
        EXPECT_EQ(head.query(), row.query) << row.target;
    }
}

TEST(ParseQuery, DecodesInOrder) {
    EXPECT_EQ(parse_query(""), Pairs{});
    EXPECT_EQ(parse_query("a=1&b=x%20y"), (Pairs{{"a", "1"}, {"b", "x y"}}));
    EXPECT_EQ(parse_query("a=1+2&a=%2B"), (Pairs{{"a", "1 2"}, {"a", "+"}}));
    EXPECT_EQ(parse_query("&&flag&=v&k=a=b&"), (Pairs{{"flag", ""}, {"", "v"}, {"k", "a=b"}}));
    EXPECT_EQ(parse_query("match[]=up%7Bjob%3d%22x%22%7D"), (Pairs{{"match[]", "up{job=\"x\"}"}}));
}

TEST(ParseQuery, KeepsUndecodableEscapes) {
    EXPECT_EQ(parse_query("a=%&b=%1&c=%zz&d=%2"), (Pairs{{"a", "%"}, {"b", "%1"}, {"c", "%zz"}, {"d", "%2"}}));
}

TEST(UrlEncode, IsReadBackByParseQuery) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
    EXPECT_EQ(parse_query("k=" + url_encode(all)), (Pairs{{"k", all}}));
    EXPECT_EQ(url_encode("a-Z_0.~ /"), "a-Z_0.~%20%2F");
}

TEST(HopByHop, NamesTheFieldsOfOneConnection) {
    for (const auto* name : {"Connection", "keep-alive", "TE", "Trailer", "Transfer-Encoding", "UPGRADE"}) {
        EXPECT_TRUE(is_hop_by_hop(name)) << name;
    }
    for (const auto* name : {"Content-Length", "Host", "Authorization", ""}) EXPECT_FALSE(is_hop_by_hop(name)) << name;
}

TEST(StatusOf, CoversEveryCode) {
    EXPECT_EQ(status_of(Errc::NotFound), 404);
    EXPECT_EQ(status_of(Errc::InvalidArgument), 400);
    EXPECT_EQ(status_of(Errc::Conflict), 409);
    EXPECT_EQ(status_of(Errc::Unavailable), 503);
    EXPECT_EQ(status_of(Errc::DeadlineExceeded), 504);
    EXPECT_EQ(status_of(Errc::ResourceExhausted), 429);
    EXPECT_EQ(status_of(Errc::PermissionDenied), 403);
    EXPECT_EQ(status_of(Errc::Corruption), 500);
    EXPECT_EQ(status_of(Errc::Cancelled), 499);
    EXPECT_EQ(status_of(Errc::Internal), 500);
}

// "tls host port path", or "error".
std::string parsed(std::string_view text) {
    const auto url = parse_url(text);
    if (!url) return "error";
    return std::string(url->tls ? "tls " : "") + url->host + " " + url->port + " " + url->path;
}

TEST(ParseUrl, ReadsAbsoluteUrls) {
    EXPECT_EQ(parsed("http://a"), "a 80 /");
    EXPECT_EQ(parsed("https://a"), "tls a 443 /");
    EXPECT_EQ(parsed("HTTPS://A.b:8443/p/q?x=1#f"), "tls A.b 8443 /p/q?x=1");
    EXPECT_EQ(parsed("http://127.0.0.1:8700?x"), "127.0.0.1 8700 /?x");
    EXPECT_EQ(parsed("http://[::1]"), "::1 80 /");
    EXPECT_EQ(parsed("http://[::1]:9/"), "::1 9 /");
    EXPECT_EQ(parsed("http://a/x@y"), "a 80 /x@y");
}

TEST(ParseUrl, RefusesWhatItCannotFollow) {
    for (const auto* text :
         {"", "a", "/p", "ftp://a", "http://", "http:///p", "http://:80", "http://a:", "http://a:0", "http://a:65536",
          "http://a:x", "http://a:1:2", "http://u:p@a/", "http://[::1", "http://[::1]x", "http://a b", "http://a/\n"}) {
        EXPECT_EQ(parsed(text), "error") << text;
    }
}

TEST(Url, HostHeaderLeavesTheDefaultPortOut) {
    EXPECT_EQ(parse_url("http://a:80/")->host_header(), "a");
    EXPECT_EQ(parse_url("https://a:80/")->host_header(), "a:80");
    EXPECT_EQ(parse_url("http://[::1]:81/")->host_header(), "[::1]:81");
}

TEST(Serialize, FramingFieldsAreOurs) {
    const ResponseHead head{
        200,
        {{"Connection", "upgrade"}, {"Transfer-Encoding", "x"}, {"Content-Length", "7"}, {"A", "b"}, {"Date", "d"}}};
    std::string out;
    internal::append_response_head(out, head, internal::Framing::Length, 3, "close");
    EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nA: b\r\nDate: d\r\nContent-Length: 3\r\nConnection: close\r\n\r\n");
}

TEST(Serialize, LineBreaksInValuesCannotSplitAMessage) {
    std::string out;
    internal::append_request_head(out, "GET", "/ HTTP/1.1\r\nX: y", "h", {{"A", "b\r\nEvil: 1\r\n\r\nGET"}},
                                  std::nullopt);
    EXPECT_EQ(out, "GET / HTTP/1.1  X: y HTTP/1.1\r\nHost: h\r\nA: b  Evil: 1    GET\r\n\r\n");
}

TEST(Serialize, ChunkHeaders) {
    char space[20];
    EXPECT_EQ(internal::chunk_header(space, 1), "1\r\n");
    EXPECT_EQ(internal::chunk_header(space, 500), "1f4\r\n");
    EXPECT_EQ(internal::chunk_header(space, ~std::size_t{0}), "ffffffffffffffff\r\n");
}

}  // namespace
}  // namespace stoker::net
