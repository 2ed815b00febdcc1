#include "collect/discovery/proxy_config.h"

#include <initializer_list>

#include "base/config_more.h"

namespace stoker::collect {
namespace {

// What Go's clients, and so Prometheus, never ask a proxy for once there is a list of exceptions.
constexpr const char* kThisMachine[] = {"localhost", "127.0.0.0/8", "::1/128"};

std::vector<std::string> exceptions(const std::string& no_proxy) {
    std::vector<std::string> all = net::parse_no_proxy(no_proxy);
    all.insert(all.end(), std::begin(kThisMachine), std::end(kThisMachine));
    return all;
}

std::string first_of(const config::Environment& environment, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        const auto value = environment(name);
        if (value && !value->empty()) return *value;
    }
    return {};
}

}  // namespace

void describe_proxy(config::Fields& f, ProxyConfig& c) {
    config::masked(f, "proxy_url", c.proxy_url,
                   "Proxy that requests go through, http://[USER:PASSWORD@]HOST:PORT; https by CONNECT.");
    const auto proxy = net::parse_proxy(c.proxy_url);
    f.check("proxy_url", c.proxy_url.empty() || proxy.has_value(), proxy ? "" : proxy.error().message);
    f.field("no_proxy", c.no_proxy, "Hosts, domains and networks that are asked directly, with commas between.");
    f.check("no_proxy", c.no_proxy.empty() || !c.proxy_url.empty(), "needs 'proxy_url'");
    f.field("proxy_from_environment", c.proxy_from_environment,
            "Takes the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.");
    f.check("proxy_from_environment", !c.proxy_from_environment || c.proxy_url.empty(),
            "'proxy_from_environment' and 'proxy_url' are both given; keep one of them");
    if (config::given(f, "proxy_connect_header")) {
        f.check("proxy_connect_header", false, "is not supported: put user and password into 'proxy_url'");
    }
}

Result<Proxies> find_proxies(const ProxyConfig& config, const config::Environment& environment) {
    Proxies proxies;
    if (!config.proxy_url.empty()) {
        TRY(proxies.http, net::parse_proxy(config.proxy_url));
        if (!config.no_proxy.empty()) proxies.http.bypass = exceptions(config.no_proxy);
        proxies.https = proxies.http;
        return proxies;
    }
    if (!config.proxy_from_environment) return proxies;
    const auto bypass = exceptions(first_of(environment, {"NO_PROXY", "no_proxy"}));
    const auto find = [&](net::ProxyOptions& proxy, const char* upper, const char* lower) -> Result<Unit> {
        const std::string text = first_of(environment, {upper, lower});
        if (text.empty()) return Unit{};
        auto parsed = net::parse_proxy(text);
        if (!parsed) return std::move(parsed).error().context(upper);
        proxy = *std::move(parsed);
        proxy.bypass = bypass;
        return Unit{};
    };
    TRY_UNIT(find(proxies.http, "HTTP_PROXY", "http_proxy"));
    TRY_UNIT(find(proxies.https, "HTTPS_PROXY", "https_proxy"));
    return proxies;
}

}  // namespace stoker::collect
