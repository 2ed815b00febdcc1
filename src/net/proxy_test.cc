// Proxies: how they are named, who is reached without them, and what they are asked.
#include "net/proxy.h"

#include <gmock/gmock.h>

namespace stoker::net {
namespace {

using testing::ElementsAre;

ProxyOptions bypassing(std::string_view no_proxy) {
    return {.host = "proxy", .port = "3128", .credentials = {}, .bypass = parse_no_proxy(no_proxy)};
}

bool direct(std::string_view no_proxy, std::string_view url) {
    return goes_direct(bypassing(no_proxy), *parse_url(url));
}

TEST(Proxy, IsNamedAsCurlAndItsLikeTakeIt) {
    struct Case {
        std::string_view text;
        std::string host, port, credentials;
    };
    const Case cases[] = {{"http://proxy.corp:3128", "proxy.corp", "3128", ""},
                          {"http://proxy.corp/", "proxy.corp", "80", ""},
                          {"proxy.corp:8080", "proxy.corp", "8080", ""},
                          {"http://amy:p%40ss@proxy:1", "proxy", "1", "amy:p@ss"},
                          {"http://amy@[::1]:3128", "::1", "3128", "amy"}};
    for (const Case& one : cases) {
        const auto proxy = parse_proxy(one.text);
        ASSERT_TRUE(proxy) << one.text;
        EXPECT_EQ(proxy->host, one.host);
        EXPECT_EQ(proxy->port, one.port);
        EXPECT_EQ(proxy->credentials, one.credentials);
    }
    for (const std::string_view bad :
         {"", "https://amy:secret@proxy:1", "socks5://proxy:1", "http://", "http://proxy:x"}) {
        EXPECT_FALSE(parse_proxy(bad)) << bad;
    }
    EXPECT_THAT(parse_proxy("http://amy:secret@proxy:x").error().message, testing::Not(testing::HasSubstr("secret")));
}

TEST(Proxy, IsLeftOutForHostsThatNoProxyNames) {
    EXPECT_THAT(parse_no_proxy(" a, b,,c d "), ElementsAre("a", "b", "c", "d"));
    EXPECT_TRUE(direct("*", "https://api.openai.com"));
    EXPECT_TRUE(direct("openai.com", "https://api.openai.com"));
    EXPECT_TRUE(direct(".openai.com", "https://API.openai.com"));
    EXPECT_TRUE(direct("*.openai.com", "https://api.openai.com"));
    EXPECT_TRUE(direct("a,api.openai.com:443", "https://api.openai.com"));
    EXPECT_TRUE(direct("10.0.0.0/8", "https://10.1.2.3:8443"));
    EXPECT_TRUE(direct("fd00::/8", "https://[fd00::7]"));
    EXPECT_TRUE(direct("fd00::7", "https://[fd00::7]"));
    EXPECT_TRUE(direct("", "http://127.0.0.1:9")) << "plain requests go to this machine alone";
    EXPECT_FALSE(direct("", "https://api.openai.com"));
    EXPECT_FALSE(direct("penai.com", "https://api.openai.com"));
    EXPECT_FALSE(direct("api.openai.com:8443", "https://api.openai.com"));
    EXPECT_FALSE(direct("10.0.0.0/8", "https://11.1.2.3"));
    EXPECT_FALSE(direct("10.0.0.0/99", "https://10.1.2.3"));
    EXPECT_TRUE(goes_direct({}, *parse_url("https://api.openai.com"))) << "there is none";
}

TEST(Proxy, IsAskedForAConnection) {
    ProxyOptions proxy = bypassing("");
    EXPECT_EQ(connect_request(proxy, *parse_url("https://api.openai.com/v1")),
              "CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n");
    proxy.credentials = "amy:pass";
    EXPECT_EQ(connect_request(proxy, *parse_url("https://[::1]:8443")),
              "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\nProxy-Authorization: Basic YW15OnBhc3M=\r\n\r\n");
    proxy.credentials = "amy:pas";
    EXPECT_THAT(connect_request(proxy, *parse_url("https://a")), testing::HasSubstr("Basic YW15OnBhcw==\r\n"));
    proxy.credentials = "amy:passw";
    EXPECT_THAT(connect_request(proxy, *parse_url("https://a")), testing::HasSubstr("Basic YW15OnBhc3N3\r\n"));
    EXPECT_EQ(connect_status("HTTP/1.1 200 Connection established\r\n\r\n"), 200);
    EXPECT_EQ(connect_status("HTTP/1.0 407 Proxy Authentication Required\r\n\r\n"), 407);
    for (const std::string_view bad : {"", "HTTP/1.1", "HTTP/1.1 2", "SSH-2.0-x y z", "HTTP/1.1 abc \r\n\r\n"}) {
        EXPECT_EQ(connect_status(bad), 0) << bad;
    }
}

}  // namespace
}  // namespace stoker::net
