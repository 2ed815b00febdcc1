// The console's routes to Prometheus' query API.
#include <array>

#include "api/handlers.h"
#include "api/prometheus_api.h"

namespace stoker::api {

std::vector<Route> query_routes(Services& services) {
    struct Pattern {
        const char* methods;
        const char* path;
        Cost cost;
    };
    static constexpr std::array kPatterns = {
        Pattern{"GET,POST", "/api/v1/query", Cost::Work},        Pattern{"GET,POST", "/api/v1/query_range", Cost::Work},
        Pattern{"GET,POST", "/api/v1/series", Cost::Work},       Pattern{"GET,POST", "/api/v1/labels", Cost::Work},
        Pattern{"GET", "/api/v1/label/*/values", Cost::Work},    Pattern{"GET", "/api/v1/metadata", Cost::Quick},
        Pattern{"GET", "/api/v1/status/buildinfo", Cost::Quick},
    };
    const auto answer = [&services](const ApiRequest& request) {
        return prometheus_api({request.method, request.path, request.params, services.now(), nullptr}, services.querier,
                              services.engine);
    };
    std::vector<Route> routes;
    for (const Pattern& pattern : kPatterns) routes.push_back({pattern.methods, pattern.path, pattern.cost, answer});
    return routes;
}

}  // namespace stoker::api
