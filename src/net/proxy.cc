#include "net/proxy.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <charconv>

#include "base/text.h"
#include "net/proxy_credentials.h"

namespace stoker::net {
namespace {

namespace ip = boost::asio::ip;

// RFC 4648, as Basic credentials want it.
std::string base64(std::string_view text) {
    constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 3) {
        const auto at = [&](std::size_t k) -> unsigned {
            return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0;
        };
        const unsigned three = at(0) << 16U | at(1) << 8U | at(2);
        for (std::size_t k = 0; k < 4; ++k) {
            const bool there = i + k <= text.size();
            out += there ? kLetters[three >> (18U - 6U * k) & 63U] : '=';
        }
    }
    return out;
}

// Escapes (%40) in a URL's user and password.
std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned value = 0;
        const char* end = text.data() + std::min(text.size(), i + 3);
        if (text[i] == '%' && i + 2 < text.size() && std::from_chars(text.data() + i + 1, end, value, 16).ptr == end) {
            out += static_cast<char>(value);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

bool in_network(std::string_view network, const std::string& host) {
    boost::system::error_code ec;
    const auto address = ip::make_address(host, ec);
    if (ec) return false;
    if (address.is_v4()) {
        const auto range = ip::make_network_v4(std::string(network), ec);
        return !ec && ip::make_network_v4(address.to_v4(), range.prefix_length()).canonical() == range.canonical();
    }
    const auto range = ip::make_network_v6(std::string(network), ec);
    return !ec && ip::make_network_v6(address.to_v6(), range.prefix_length()).canonical() == range.canonical();
}

bool names(std::string_view entry, const Url& url) {
    if (entry == "*") return true;
    if (entry.find('/') != std::string_view::npos) return in_network(entry, url.host);
    // One colon is a port's; more are an IPv6 address.
    const auto colon = entry.find(':');
    if (colon != std::string_view::npos && entry.find(':', colon + 1) == std::string_view::npos) {
        if (entry.substr(colon + 1) != url.port) return false;
        entry = entry.substr(0, colon);
    }
    if (entry.starts_with("*.")) entry.remove_prefix(1);
    if (entry.starts_with('.')) entry.remove_prefix(1);
    const std::string domain = to_lower(entry);
    const std::string host = to_lower(url.host);
    return !domain.empty() && (host == domain || host.ends_with("." + domain));
}

}  // namespace

Result<ProxyOptions> parse_proxy(std::string_view text) {
    ProxyOptions proxy;
    std::string_view rest = text;
    constexpr std::string_view kScheme = "http://";
    if (rest.starts_with(kScheme)) {
        rest.remove_prefix(kScheme.size());
    } else if (rest.find("://") != std::string_view::npos) {
        return Error{Errc::InvalidArgument, "a proxy is asked in plain HTTP: http://HOST:PORT"};
    }
    const auto at = rest.rfind('@');
    if (at != std::string_view::npos) {
        proxy.credentials = unescape(rest.substr(0, at));
        rest.remove_prefix(at + 1);
    }
    auto url = parse_url(std::string(kScheme) + std::string(rest));  // Without what may be a password.
    if (!url) return std::move(url).error();
    proxy.host = url->host;
    proxy.port = url->port;
    return proxy;
}

std::vector<std::string> parse_no_proxy(std::string_view text) {
    std::vector<std::string> entries;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(", \t"), text.size());
        if (end > 0) entries.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return entries;
}

bool goes_direct(const ProxyOptions& proxy, const Url& url) {
    if (!url.tls || proxy.host.empty()) return true;
    return std::any_of(proxy.bypass.begin(), proxy.bypass.end(),
                       [&url](const std::string& entry) { return names(entry, url); });
}

std::string internal::proxy_authorization(const ProxyOptions& proxy) {
    return proxy.credentials.empty() ? std::string{} : "Basic " + base64(proxy.credentials);
}

std::string connect_request(const ProxyOptions& proxy, const Url& url) {
    const bool v6 = url.host.find(':') != std::string::npos;
    const std::string authority = (v6 ? "[" + url.host + "]" : url.host) + ":" + url.port;
    std::string request = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n";
    const std::string who = internal::proxy_authorization(proxy);
    if (!who.empty()) request += "Proxy-Authorization: " + who + "\r\n";
    return request + "\r\n";
}

int connect_status(std::string_view head) {
    constexpr std::string_view kVersion = "HTTP/1.";
    if (!head.starts_with(kVersion) || head.size() < 12 || head[8] != ' ') return 0;
    int status = 0;
    const auto [end, error] = std::from_chars(head.data() + 9, head.data() + 12, status);
    return error == std::errc{} && end == head.data() + 12 ? status : 0;
}

}  // namespace stoker::net
