// Incidents, decisions on them, and alerts.
#include <nlohmann/json.hpp>

#include "api/handlers.h"

namespace stoker::api {
namespace {

constexpr std::int64_t kMostIncidents = 1000;

net::Response list(Services& services, const ApiRequest& request) {
    auto limit = request.number("limit", 100, kMostIncidents);
    if (!limit) return error_response(limit.error());
    auto status = request.param("status").value_or("");
    if (!status.empty() && status != "open") {
        return error_response({Errc::InvalidArgument, "parameter status: only \"open\" is known"});
    }
    std::string body = "{\"incidents\":[";
    for (const auto& incident : services.incidents(status == "open", static_cast<std::size_t>(*limit))) {
        if (body.back() != '[') body += ',';
        body += incident;
    }
    return json_response(body + "]}");
}

net::Response answer(Result<std::string> incident) {
    return incident ? json_response(*std::move(incident)) : error_response(incident.error());
}

net::Response decide(Services& services, const ApiRequest& request, bool approve) {
    std::string by = "user";
    std::string comment;
    if (!request.body.empty()) {
        auto body = nlohmann::json::parse(request.body, nullptr, false);
        if (!body.is_object())
            return error_response({Errc::InvalidArgument, "the body must be a JSON object or empty"});
        auto text = [&body](const char* key, std::string fallback) {
            auto found = body.find(key);
            return found != body.end() && found->is_string() ? found->get<std::string>() : std::move(fallback);
        };
        by = text("by", by);
        comment = text("comment", comment);
    }
    return answer(services.decide(request.captures.front(), approve, by, comment));
}

}  // namespace

std::vector<Route> incident_routes(Services& services) {
    return {{"GET", "/api/v1/incidents", Cost::Work,
             [&services](const ApiRequest& request) { return list(services, request); }},
            {"GET", "/api/v1/incidents/*", Cost::Work,
             [&services](const ApiRequest& request) { return answer(services.incident(request.captures.front())); }},
            {"POST", "/api/v1/incidents/*/approve", Cost::Work,
             [&services](const ApiRequest& request) { return decide(services, request, true); }},
            {"POST", "/api/v1/incidents/*/reject", Cost::Work,
             [&services](const ApiRequest& request) { return decide(services, request, false); }}};
}

}  // namespace stoker::api
