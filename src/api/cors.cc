#include "api/cors.h"

#include <algorithm>

namespace stoker::api {

bool Origins::foreign(const net::RequestHead& head) {
    const auto origin = head.headers.get("Origin");
    if (!origin) return false;  // Not a browser.
    const auto host = std::string(head.headers.get("Host").value_or(""));
    return *origin != "http://" + host && *origin != "https://" + host;
}

std::optional<std::string> Origins::answer_for(const net::RequestHead& head) const {
    const auto origin = head.headers.get("Origin");
    if (!origin) return std::nullopt;
    const auto named = [&](std::string_view text) {
        return std::find(allowed_.begin(), allowed_.end(), text) != allowed_.end();
    };
    if (named("*")) return "*";
    if (named(*origin)) return std::string(*origin);
    return std::nullopt;
}

void Origins::mark(const net::RequestHead& head, net::Response& response) const {
    if (!any()) return;
    response.headers.add("Vary", "Origin");
    const auto origin = answer_for(head);
    if (!origin) return;
    response.headers.set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, Origin");
    response.headers.set("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    response.headers.set("Access-Control-Allow-Origin", *origin);
    response.headers.set("Access-Control-Expose-Headers", "Date");
}

}  // namespace stoker::api
