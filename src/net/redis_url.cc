#include <cctype>

#include "net/redis.h"

namespace stoker::net {
namespace {

// %41 as A. Empty for what is no escape.
std::optional<std::string> unescape(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return {};
        const auto digit = [&](char c) { return kDigits.find(static_cast<char>(std::tolower(c))); };
        const std::size_t high = digit(text[i + 1]);
        const std::size_t low = digit(text[i + 2]);
        if (high == std::string_view::npos || low == std::string_view::npos) return {};
        plain += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return plain;
}

}  // namespace

Result<RedisOptions> parse_redis_url(const std::string& url) {
    // Never with the URL in it: that may hold a password.
    const Error wrong{Errc::InvalidArgument, "must be redis://[[user]:password@]host[:port][/database], or rediss://"};
    RedisOptions options;
    std::string_view rest = url;
    if (rest.starts_with("rediss://")) {
        options.use_tls = true;
        rest.remove_prefix(9);
    } else if (rest.starts_with("redis://")) {
        rest.remove_prefix(8);
    } else {
        return wrong;
    }
    if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
        const std::string_view who = rest.substr(0, at);
        const std::size_t colon = who.find(':');
        if (colon == std::string_view::npos) return wrong;
        const auto user = unescape(who.substr(0, colon));
        const auto password = unescape(who.substr(colon + 1));
        if (!user || !password) return wrong;
        options.user = *user;
        options.password = *password;
        rest.remove_prefix(at + 1);
    }
    const std::size_t slash = rest.find('/');
    if (slash != std::string_view::npos && slash + 1 < rest.size()) {
        const std::string_view database = rest.substr(slash + 1);
        constexpr std::size_t kMostDigits = 5;
        if (database.size() > kMostDigits || database.find_first_not_of("0123456789") != std::string_view::npos) {
            return wrong;
        }
        options.database = std::stoi(std::string(database));
    }
    // Host and port by the rules of HTTP's URLs, with brackets round an IPv6 address.
    auto place = parse_url("http://" + std::string(rest.substr(0, slash)));
    if (!place) return wrong;
    options.host = place->host;
    const bool has_port = rest.substr(0, slash).ends_with(":" + place->port);
    if (has_port) options.port = place->port;
    return options;
}

}  // namespace stoker::net
