// Prometheus' query API.
#include "api/handlers.h"
#include "api/prometheus_api.h"

namespace stoker::api {

std::vector<Route> query_routes(Services& services) {
    auto answer = [&services](const ApiRequest& request) {
        PrometheusRequest query;
        query.method = request.method;
        query.path = request.path;
        query.params = request.params;
        query.now = services.now();
        return prometheus_api(query, services.querier, services.engine);
    };
    std::vector<Route> routes;
    for (const char* path : {"/api/v1/query", "/api/v1/query_range", "/api/v1/series", "/api/v1/labels"}) {
        routes.push_back({"GET,POST", path, Cost::Work, answer});
    }
    for (const char* path : {"/api/v1/label/*/values", "/api/v1/metadata", "/api/v1/status/buildinfo"}) {
        routes.push_back({"GET", path, Cost::Work, answer});
    }
    return routes;
}

}  // namespace stoker::api
