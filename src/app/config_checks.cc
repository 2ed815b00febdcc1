#include "app/config_checks.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "net/http.h"

namespace stoker::app {
namespace {

constexpr std::int64_t kMostOfAnything = 1'000'000'000;  // Counts are ints further in.

}  // namespace

void positive(config::Fields& f, std::string_view key, Duration& value, std::string_view doc) {
    f.field(key, value, doc);
    f.check(key, value.count() > 0, kMustBePositive);
}

void at_least(config::Fields& f, std::string_view key, std::int64_t& value, std::int64_t least, std::string_view doc) {
    f.field(key, value, doc);
    f.check(key, value >= least, fmt::format("must be at least {}", least));
    f.check(key, value <= kMostOfAnything, fmt::format("must be at most {}", kMostOfAnything));
}

void durability(config::Fields& f, std::string& value) {
    f.choice("durability", value, {"process", "fsync"},
             "What an acknowledged write survives: `process` the end of Stoker (SIGKILL too), `fsync` also the loss of "
             "power, at the price of a disk sync per batch.");
}

void check_url(config::Fields& f, std::string_view key, const std::string& url) {
    if (url.empty()) return;
    const auto parsed = net::parse_url(url);
    f.check(key, parsed.has_value(), parsed ? "" : parsed.error().message);
}

bool is_ipv4_address(const std::string& text) {
    in_addr ignored{};
    return ::inet_pton(AF_INET, text.c_str(), &ignored) == 1;
}

bool is_ipv6_address(const std::string& text) {
    in6_addr ignored{};
    return ::inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

bool is_plain_name(std::string_view text) {
    constexpr std::size_t kLongest = 64;
    return !text.empty() && text.size() <= kLongest && std::all_of(text.begin(), text.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
    });
}

}  // namespace stoker::app
