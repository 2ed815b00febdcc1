#include "gateway/trace.h"

#include <algorithm>

#include "base/id.h"

namespace stoker::gateway {
namespace {

bool is_lower_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view hex) {
    return hex.find_first_not_of('0') == std::string_view::npos;
}

bool valid_request_id(std::string_view id) {
    constexpr std::size_t kLongest = 128;
    constexpr std::string_view kPunctuation = "._:/+=@-";
    return !id.empty() && id.size() <= kLongest && std::all_of(id.begin(), id.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               kPunctuation.find(c) != std::string_view::npos;
    });
}

}  // namespace

std::string request_id_from(std::optional<std::string_view> header) {
    return header && valid_request_id(*header) ? std::string(*header) : make_id("req_");
}

std::string TraceContext::traceparent(std::string_view span) const {
    return "00-" + trace_id + "-" + std::string(span) + "-" + flags;
}

TraceContext continue_trace(std::optional<std::string_view> traceparent) {
    // version "-" trace-id "-" parent-id "-" flags; a later version may append more after another dash.
    constexpr std::size_t kSize = 55;
    const std::string_view text = traceparent.value_or("");
    const bool shaped = text.size() >= kSize && text[2] == '-' && text[35] == '-' && text[52] == '-' &&
                        (text.size() == kSize || (text[kSize] == '-' && text.substr(0, 2) != "00"));
    if (shaped) {
        const std::string_view version = text.substr(0, 2), trace = text.substr(3, 32), parent = text.substr(36, 16),
                               flags = text.substr(53, 2);
        if (is_lower_hex(version) && version != "ff" && is_lower_hex(trace) && is_lower_hex(parent) &&
            is_lower_hex(flags) && !is_zero(trace) && !is_zero(parent)) {
            return {std::string(trace), random_hex(8), std::string(flags), std::string(parent)};
        }
    }
    return {random_hex(16), random_hex(8), "01"};
}

}  // namespace stoker::gateway
