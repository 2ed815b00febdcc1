// What clients ask a server of their protocol before they push to it.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "collect/push/influx_receiver.h"

namespace stoker::api {

namespace {

// As InfluxDB 2 says it.
net::Response health(Services& services) {
    const bool ready = services.status().ready;
    const nlohmann::json body = {{"name", "stoker"},
                                 {"message", ready ? "ready for queries and writes" : "not ready"},
                                 {"status", ready ? "pass" : "fail"},
                                 {"checks", nlohmann::json::array()},
                                 {"version", STOKER_VERSION}};
    return json_response(body.dump(), ready ? 200 : 503);
}

}  // namespace

std::vector<Route> ping_routes(Services& services) {
    return {{"GET", "/ping", Cost::Quick, [](const ApiRequest&) { return collect::InfluxReceiver::ping(); }},
            {"GET", "/health", Cost::Quick, [&services](const ApiRequest&) { return health(services); }},
            {"GET,POST", "/query", Cost::Quick,
             [](const ApiRequest& request) { return collect::InfluxReceiver::query(request.params); }}};
}

}  // namespace stoker::api
