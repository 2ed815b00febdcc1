// A backup, made by the Stoker that is asked.
#include "api/handlers.h"

namespace stoker::api {

std::vector<Route> backup_routes(Services& services) {
    return {{"POST", "/api/v1/backup", Cost::Work, [&services](const ApiRequest&) {
                 auto made = services.backup();
                 return made ? json_response(*std::move(made)) : error_response(made.error());
             }}};
}

}  // namespace stoker::api
