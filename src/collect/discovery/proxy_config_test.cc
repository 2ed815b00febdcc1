// Which proxy the settings mean, and how it is addressed.
#include "collect/discovery/proxy_config.h"

#include <gtest/gtest.h>

#include "collect/discovery/outbound.h"

namespace stoker::collect {
namespace {

net::Url url(const std::string& text) {
    net::Url parsed = *net::parse_url(text);
    parsed.tls = true;  // As Outbound asks.
    return parsed;
}

Proxies found(const ProxyConfig& config, std::map<std::string, std::string> variables = {}) {
    const auto environment = [&variables](const std::string& name) -> std::optional<std::string> {
        const auto variable = variables.find(name);
        return variable == variables.end() ? std::nullopt : std::optional(variable->second);
    };
    return *find_proxies(config, environment);
}

TEST(ProxyConfig, AUrlAloneIsForEverything) {
    const Proxies proxies = found({"http://u:p%40@proxy:3128", "", false});
    EXPECT_EQ(proxies.http, proxies.https);
    EXPECT_EQ(proxies.http.host, "proxy");
    EXPECT_EQ(proxies.http.credentials, "u:p@");
    EXPECT_FALSE(net::goes_direct(proxies.http, url("http://127.0.0.1:9100/")));
}

TEST(ProxyConfig, WithExceptionsThisMachineIsOneToo) {
    const Proxies proxies = found({"http://proxy", "in.example, 10.0.0.0/8", false});
    for (const char* direct : {"http://a.in.example/", "http://10.1.2.3/", "http://127.0.0.9/", "http://localhost:1/",
                               "http://[::1]:9100/"}) {
        EXPECT_TRUE(net::goes_direct(proxies.http, url(direct))) << direct;
    }
    EXPECT_FALSE(net::goes_direct(proxies.http, url("http://out.example/")));
}

TEST(ProxyConfig, TheEnvironmentHasOneForEachScheme) {
    const std::map<std::string, std::string> variables = {
        {"HTTP_PROXY", "http://plain:1"}, {"https_proxy", "tls:2"}, {"NO_PROXY", "x"}};
    const Proxies proxies = found({"", "", true}, variables);
    EXPECT_EQ(proxies.http.host, "plain");
    EXPECT_EQ(proxies.https.host + ":" + proxies.https.port, "tls:2");
    EXPECT_TRUE(net::goes_direct(proxies.http, url("http://x/")));
    EXPECT_EQ(found({}, variables).http.host, "") << "only where it is asked for";
    const auto bad = find_proxies(
        {"", "", true}, [](const std::string&) -> std::optional<std::string> { return "socks5://proxy:1080"; });
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().message.substr(0, 12), "HTTP_PROXY: ");
}

TEST(ProxyConfig, AProxyIsToldTheWholeUrl) {
    net::ClientRequest request;
    request.target = "/metrics?a=b";
    address_proxy(request, *net::parse_url("http://target:9100/metrics?a=b"));
    EXPECT_EQ(request.target, "http://target:9100/metrics?a=b");
    EXPECT_EQ(request.headers.get("host"), "target:9100");
}

}  // namespace
}  // namespace stoker::collect
