// Liveness, readiness, Stoker's own metrics, status and configuration reload.
#include <nlohmann/json.hpp>

#include "api/handlers.h"

namespace stoker::api {
namespace {

// Damage that was found and set aside is told here too; whether it makes Stoker sick is for the component to say.
net::Response healthy(Services& services) {
    std::string sick;
    for (const auto& component : services.status().components) {
        if (!component.health) sick += component.name + ": " + component.health.error().message + "\n";
    }
    std::string damaged;
    for (const auto& damage : services.prometheus.store.damage()) {
        damaged += "damaged: " + damage.where + ": " + damage.what + "\n";
    }
    return sick.empty() ? text_response("Stoker is healthy.\n" + damaged) : text_response(sick + damaged, 503);
}

net::Response ready(Services& services) {
    return services.status().ready ? text_response("Stoker is ready.\n") : text_response("Stoker is not ready.\n", 503);
}

net::Response status(Services& services) {
    Status status = services.status();
    nlohmann::json components = nlohmann::json::array();
    for (const auto& component : status.components) {
        components.push_back({{"name", component.name},
                              {"ok", component.health.has_value()},
                              {"error", component.health ? "" : component.health.error().message}});
    }
    nlohmann::json body = {
        {"version", STOKER_VERSION},
        {"ready", status.ready},
        {"demo", status.demo},
        {"started_ms", to_millis(status.started_at)},
        {"uptime_s", static_cast<double>(to_millis(services.now()) - to_millis(status.started_at)) / 1000},
        {"config_file", status.config_file},
        {"data_dir", status.data_dir},
        {"gateway", status.gateway_address},
        {"console", status.console_address},
        {"components", std::move(components)}};
    return json_response(body.dump());
}

net::Response reload(Services& services) {
    ReloadOutcome outcome = services.reload();
    if (!outcome.problems.empty()) {
        std::string all = "the configuration stays as it was";
        for (const auto& problem : outcome.problems) all += "\n" + problem;
        return error_response({Errc::InvalidArgument, all});
    }
    nlohmann::json body = {{"status", "ok"}, {"changed", outcome.changed}, {"restart_needed", outcome.restart_needed}};
    return json_response(body.dump());
}

}  // namespace

std::vector<Route> health_routes(Services& services) {
    auto with = [&services](net::Response (*handler)(Services&)) {
        return [&services, handler](const ApiRequest&) { return handler(services); };
    };
    auto metrics = [&services](const ApiRequest&) {
        auto response = text_response(services.registry.text());
        response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
        return response;
    };
    return {{"GET", "/-/healthy", Cost::Quick, with(&healthy)},
            {"GET", "/-/ready", Cost::Quick, with(&ready)},
            {"GET", "/metrics", Cost::Work, metrics},
            {"GET", "/api/v1/status", Cost::Work, with(&status)},
            {"POST", "/api/v1/config/reload", Cost::Work, with(&reload)}};
}

}  // namespace stoker::api
