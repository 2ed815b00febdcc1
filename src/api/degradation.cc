// The degradation level: what it is and why, and setting it by hand.
#include <nlohmann/json.hpp>

#include "api/handlers.h"

namespace stoker::api {
namespace {

using nlohmann::json;

json level_json(gateway::DegradationLevel level) {
    return {{"level", static_cast<int>(level)}, {"name", gateway::to_string(level)}};
}

net::Response show(Services& services) {
    const auto status = services.degradation();
    json scopes = json::array();
    for (const auto& scope : status.scopes) {
        json entry = level_json(scope.level);
        entry.update({{"pool", scope.pool}, {"since_ms", to_millis(scope.since)}, {"why", scope.why}});
        scopes.push_back(std::move(entry));
    }
    json conditions = json::array();
    for (const auto& condition : status.conditions) {
        json entry = level_json(condition.level);
        entry.update({{"condition", condition.name},
                      {"pool", condition.pool},
                      {"value", condition.value ? json(*condition.value) : json(nullptr)}});
        conditions.push_back(std::move(entry));
    }
    json pins = json::array();
    for (const auto& pin : status.pins) {
        json entry = level_json(pin.level);
        entry.update({{"pool", pin.pool}, {"until_ms", to_millis(pin.until)}, {"by", pin.by}, {"reason", pin.reason}});
        pins.push_back(std::move(entry));
    }
    return json_response(json{
        {"enabled", status.enabled},
        {"scopes", std::move(scopes)},
        {"conditions", std::move(conditions)},
        {"pins",
         std::move(pins)}}.dump());
}

Result<gateway::DegradationPin> pin_of(const json& body, Timestamp now) {
    const auto text = [&body](const char* key) {
        const auto found = body.find(key);
        return found != body.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    std::string wanted = text("level");
    if (const auto found = body.find("level"); found != body.end() && found->is_number_integer()) {
        wanted = std::to_string(found->get<std::int64_t>());
    }
    const auto level = gateway::parse_degradation_level(wanted);
    if (!level) {
        return Error{Errc::InvalidArgument, "level must be normal, light, medium, heavy, emergency, or 0 to 4"};
    }
    gateway::DegradationPin pin{text("pool"), *level, {}, text("by"), text("reason")};
    if (pin.by.empty()) pin.by = "user";
    if (const std::string lasting = text("for"); !lasting.empty()) {
        TRY(const Duration duration, parse_duration(lasting));
        if (duration <= Duration{0}) return Error{Errc::InvalidArgument, "for must be above 0"};
        pin.until = now + duration;
    }
    return pin;
}

net::Response pin(Services& services, const ApiRequest& request) {
    const auto body = json::parse(request.body, nullptr, false);
    if (!body.is_object()) return error_response({Errc::InvalidArgument, "the body must be a JSON object"});
    auto wanted = pin_of(body, services.now());
    if (!wanted) return error_response(wanted.error());
    const auto done = services.pin_degradation(*std::move(wanted));
    return done ? show(services) : error_response(done.error());
}

net::Response release(Services& services, const ApiRequest& request) {
    const auto done = services.release_degradation(request.param("pool").value_or(""));
    return done ? show(services) : error_response(done.error());
}

}  // namespace

std::vector<Route> degradation_routes(Services& services) {
    return {{"GET", "/api/v1/degradation", Cost::Quick, [&services](const ApiRequest&) { return show(services); }},
            {"POST", "/api/v1/degradation", Cost::Work,
             [&services](const ApiRequest& request) { return pin(services, request); }},
            {"DELETE", "/api/v1/degradation", Cost::Work,
             [&services](const ApiRequest& request) { return release(services, request); }}};
}

}  // namespace stoker::api
