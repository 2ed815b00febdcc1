// The console's handlers, one file a topic; console_routes() is the list of everything that the console answers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/router.h"
#include "api/services.h"
#include "records/log_query.h"

namespace stoker::api {

std::vector<Route> console_routes(Services& services);

// Each topic's own routes.
std::vector<Route> health_routes(Services& services);
std::vector<Route> metrics_routes(Services& services);
std::vector<Route> ping_routes(Services& services);
std::vector<Route> overview_routes(Services& services);
std::vector<Route> request_routes(Services& services);
std::vector<Route> incident_routes(Services& services);
std::vector<Route> engine_routes(Services& services);
std::vector<Route> limit_routes(Services& services);
std::vector<Route> ledger_routes(Services& services);
std::vector<Route> cache_routes(Services& services);
std::vector<Route> queue_routes(Services& services);
std::vector<Route> gpu_routes(Services& services);
std::vector<Route> backup_routes(Services& services);
std::vector<Route> degradation_routes(Services& services);
std::vector<Route> release_routes(Services& services);
std::vector<Route> key_routes(Services& services);
std::vector<Route> replica_routes(Services& services);
std::vector<Route> event_routes(Services& services);
std::vector<Route> trace_routes(Services& services);
std::vector<Route> jaeger_routes(Services& services);
std::vector<Route> agent_routes(Services& services);
std::vector<Route> log_routes(Services& services);

// The body of /api/v1/overview; also published to live pages every second.
std::string overview_json(Services& services);

// What live pages are told when limits begin or cease to be shared.
std::string json_of(const gateway::SharingReport& report);

// The same for lines of log.
Result<records::LogFilter> log_filter(const ApiRequest& request, Timestamp now);

// The filter that a request's parameters ask for. Errors: InvalidArgument, naming the parameter.
Result<records::RequestFilter> request_filter(const ApiRequest& request, Timestamp now);

}  // namespace stoker::api
