#include "gateway/upstream/retry_after.h"

#include <algorithm>
#include <ctime>
#include <string>

#include "base/text.h"

namespace stoker::gateway {
namespace {

constexpr Duration kMost{std::chrono::hours{1}};
constexpr std::size_t kLongest = 64;

std::optional<Timestamp> parse_http_date(std::string_view text) {
    if (text.size() > kLongest) return {};
    const std::string copy(text);
    // What is sent now, and the two that are still read: of RFC 850 and of asctime().
    for (const char* form : {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
        std::tm parts{};
        const char* end = ::strptime(copy.c_str(), form, &parts);
        if (end != nullptr && *end == '\0') return from_millis(static_cast<std::int64_t>(::timegm(&parts)) * 1000);
    }
    return {};
}

}  // namespace

std::optional<Duration> parse_retry_after(std::optional<std::string_view> header, Timestamp now) {
    if (!header) return {};
    const std::string_view text = trim(*header);
    if (const auto seconds = parse_integer(text)) {
        if (*seconds < 0) return {};
        return std::min<Duration>(std::chrono::seconds(std::min<std::int64_t>(*seconds, 3600)), kMost);
    }
    const auto date = parse_http_date(text);
    if (!date) return {};
    return Duration{std::clamp<std::int64_t>(to_millis(*date) - to_millis(now), 0, kMost.count())};
}

}  // namespace stoker::gateway
