// Connections through an HTTP proxy: CONNECT (RFC 9110, 9.3.6), and which hosts are reached without it.
//
// Pure functions, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http.h"

namespace stoker::net {

// A proxy for TLS connections; plain ones never go through it.
struct ProxyOptions {
    std::string host;  // Empty: none.
    std::string port;
    std::string credentials;          // user:password; empty: none are asked for.
    std::vector<std::string> bypass;  // Hosts that are reached directly, as in NO_PROXY.

    friend bool operator==(const ProxyOptions&, const ProxyOptions&) = default;
};

// http://[user[:password]@]host[:port], or host:port as some write it in HTTPS_PROXY. Without a port it is 80. Errors:
// InvalidArgument; https:// and socks5:// are not supported.
Result<ProxyOptions> parse_proxy(std::string_view text);

// NO_PROXY's list: parts with commas or blanks between.
std::vector<std::string> parse_no_proxy(std::string_view text);

// Whether `url` is reached directly: it is plain, or an entry of `bypass` holds. An entry is `*`, an address, a network
// as 10.0.0.0/8, or a domain (with or without a dot in front), which stands for its subdomains too; each may end with
// :port.
bool goes_direct(const ProxyOptions& proxy, const Url& url);

// What asks the proxy for a connection to `url`.
std::string connect_request(const ProxyOptions& proxy, const Url& url);

// The status in the first line of what the proxy answered; 0 if that is no HTTP.
int connect_status(std::string_view head);

}  // namespace stoker::net
