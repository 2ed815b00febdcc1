#include "api/prometheus.h"

namespace stoker::api {

Handler prometheus_handler(PrometheusServices& services, PrometheusHandler handler) {
    return [&services, handler](const ApiRequest& request) {
        auto answer = handler(services, request);
        return answer ? (*std::move(answer)).finish() : prometheus_error(answer.error());
    };
}

std::vector<Route> prometheus_routes(PrometheusServices& services) {
    std::vector<Route> all;
    for (auto* topic : {&prometheus_query_routes, &prometheus_series_routes, &prometheus_exemplar_routes,
                        &prometheus_metadata_routes, &prometheus_target_routes, &prometheus_rule_routes,
                        &prometheus_status_routes, &prometheus_admin_routes, &federate_routes}) {
        auto routes = (*topic)(services);
        all.insert(all.end(), std::make_move_iterator(routes.begin()), std::make_move_iterator(routes.end()));
    }
    return all;
}

}  // namespace stoker::api
