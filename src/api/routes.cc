#include "api/handlers.h"

namespace stoker::api {

std::vector<Route> metrics_routes(Services& services) {
    return prometheus_routes(services.prometheus);
}

std::vector<Route> console_routes(Services& services) {
    std::vector<Route> all;
    for (auto* topic :
         {&health_routes, &metrics_routes,     &ping_routes,    &overview_routes, &request_routes, &incident_routes,
          &engine_routes, &limit_routes,       &queue_routes,   &gpu_routes,      &ledger_routes,  &cache_routes,
          &backup_routes, &degradation_routes, &release_routes, &key_routes,      &replica_routes, &event_routes,
          &trace_routes,  &jaeger_routes,      &agent_routes,   &log_routes}) {
        auto routes = (*topic)(services);
        all.insert(all.end(), std::make_move_iterator(routes.begin()), std::make_move_iterator(routes.end()));
    }
    return all;
}

}  // namespace stoker::api
