// Prometheus' settings for HTTP proxies, and which proxy they mean.
#pragma once

#include <optional>
#include <string>

#include "base/config.h"
#include "base/result.h"
#include "net/proxy.h"

namespace stoker::collect {

struct ProxyConfig {
    std::string proxy_url;
    std::string no_proxy;
    bool proxy_from_environment = false;
    friend bool operator==(const ProxyConfig&, const ProxyConfig&) = default;
};

// Its keys stand beside those of what it belongs to.
void describe_proxy(config::Fields& f, ProxyConfig& c);

// By the scheme of what is asked; a host that is empty: none.
struct Proxies {
    net::ProxyOptions http;
    net::ProxyOptions https;
};

// With `no_proxy` or the environment's settings this machine is asked directly, as in Prometheus; with `proxy_url`
// alone everything goes through it. Errors: InvalidArgument (a variable that is no proxy's address).
Result<Proxies> find_proxies(const ProxyConfig& config, const config::Environment& environment);

}  // namespace stoker::collect
