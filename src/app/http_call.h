// One blocking HTTP exchange, for commands that ask a running Stoker.
#pragma once

#include <string>

#include "base/result.h"
#include "net/http.h"

namespace stoker::app {

// `target` is path and query on `server` (http://HOST:PORT). Errors name the server and what to do.
Result<net::Response> call(const std::string& server, const std::string& method, const std::string& target,
                           const std::string& body = "");

}  // namespace stoker::app
