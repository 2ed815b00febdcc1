// Where requests go, and the changes of that while Stoker runs: switches and canaries.
#include <nlohmann/json.hpp>

#include "api/handlers.h"

namespace stoker::api {
namespace {

using nlohmann::json;

Result<json> object_of(const ApiRequest& request) {
    json body = json::parse(request.body, nullptr, false);
    if (!body.is_object()) return Error{Errc::InvalidArgument, "the body must be a JSON object"};
    return body;
}

// Errors: InvalidArgument, naming the member.
Result<std::string> text_of(const json& body, const char* key) {
    const auto found = body.find(key);
    if (found == body.end() || !found->is_string()) {
        return Error{Errc::InvalidArgument, std::string("the body must have a text '") + key + "'"};
    }
    return found->get<std::string>();
}

// Who says so, and why; for whoever asks later.
gateway::ReleaseOrder order_of(const json& body) {
    constexpr std::size_t kMost = 500;
    gateway::ReleaseOrder order;
    order.by = text_of(body, "by").value_or("api").substr(0, kMost);
    order.reason = text_of(body, "reason").value_or(order.reason).substr(0, kMost);
    return order;
}

Result<Unit> switch_alias(Services& services, const ApiRequest& request) {
    TRY(const json body, object_of(request));
    TRY(const std::string alias, text_of(body, "alias"));
    const bool back = body.contains("to") && body["to"].is_null();
    if (back) return services.routes.switch_alias(alias, "", order_of(body));
    TRY(const std::string to, text_of(body, "to"));
    return services.routes.switch_alias(alias, to, order_of(body));
}

Result<Unit> steer(Services& services, const ApiRequest& request) {
    TRY(const json body, object_of(request));
    TRY(const std::string canary, text_of(body, "canary"));
    TRY(const std::string action, text_of(body, "action"));
    return services.routes.steer(canary, action, order_of(body));
}

// A change answers with what is after it.
net::Response after(Services& services, const Result<Unit>& done) {
    return done ? json_response(services.routes.show()) : error_response(done.error());
}

net::Response explain(Services& services, const ApiRequest& request) {
    auto answer = services.routes.explain(request.body);
    return answer ? json_response(*std::move(answer)) : error_response(answer.error());
}

}  // namespace

std::vector<Route> release_routes(Services& services) {
    return {{"GET", "/api/v1/route", Cost::Work,
             [&services](const ApiRequest&) { return json_response(services.routes.show()); }},
            {"POST", "/api/v1/route/switch", Cost::Work,
             [&services](const ApiRequest& request) { return after(services, switch_alias(services, request)); }},
            {"POST", "/api/v1/route/canary", Cost::Work,
             [&services](const ApiRequest& request) { return after(services, steer(services, request)); }},
            {"GET", "/api/v1/route/shadow", Cost::Work,
             [&services](const ApiRequest&) { return json_response(services.routes.shadows()); }},
            {"POST", "/api/v1/route/explain", Cost::Work,
             [&services](const ApiRequest& request) { return explain(services, request); }}};
}

}  // namespace stoker::api
