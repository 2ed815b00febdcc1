// What clients ask a server of their protocol before they push to it.
#include "api/handlers.h"
#include "collect/influx_receiver.h"

namespace stoker::api {

std::vector<Route> ping_routes(Services&) {
    return {{"GET", "/ping", Cost::Quick, [](const ApiRequest&) { return collect::InfluxReceiver::ping(); }}};
}

}  // namespace stoker::api
