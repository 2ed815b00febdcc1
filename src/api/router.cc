#include "api/router.h"

namespace stoker::api {
namespace {

std::string decode(std::string_view segment) {
    // parse_query decodes a lone key once what means something to it is escaped.
    std::string kept;
    for (char c : segment) {
        if (c == '+' || c == '&' || c == '=') {
            kept += c == '+' ? "%2B" : c == '&' ? "%26" : "%3D";
        } else {
            kept += c;
        }
    }
    auto decoded = net::parse_query(kept);
    return decoded.empty() ? std::string() : decoded.front().first;
}

bool matches(std::string_view pattern, std::string_view path, std::vector<std::string>& captures) {
    while (!pattern.empty() || !path.empty()) {
        auto next = [](std::string_view& text) {
            if (!text.empty()) text.remove_prefix(1);  // The slash.
            auto segment = text.substr(0, text.find('/'));
            text.remove_prefix(segment.size());
            return segment;
        };
        if (pattern.empty() != path.empty()) return false;
        auto want = next(pattern);
        auto have = next(path);
        if (want == "*" && !have.empty()) {
            captures.push_back(decode(have));
        } else if (want != have) {
            return false;
        }
    }
    return true;
}

bool lists(std::string_view methods, std::string_view method) {
    if (method == "HEAD") method = "GET";
    while (!methods.empty()) {
        auto one = methods.substr(0, methods.find(','));
        if (one == method) return true;
        methods.remove_prefix(std::min(methods.size(), one.size() + 1));
    }
    return false;
}

}  // namespace

Match Router::find(std::string_view method, std::string_view path) const {
    Match match;
    for (const auto& route : routes_) {
        std::vector<std::string> captures;
        if (!matches(route.pattern, path, captures)) continue;
        if (lists(route.methods, method)) {
            match.route = &route;
            match.captures = std::move(captures);
            return match;
        }
        match.path_known = true;
        match.allowed += (match.allowed.empty() ? "" : ", ") + route.methods;
    }
    return match;
}

}  // namespace stoker::api
