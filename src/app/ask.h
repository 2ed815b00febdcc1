// What the commands that ask a running Stoker share: the call, the check of its answer, and printing.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "base/result.h"

namespace stoker::app {

using Params = std::vector<std::pair<std::string, std::string>>;

// GETs (or POSTs) and returns the parsed answer. Errors: the server's own message when it refused.
Result<nlohmann::json> ask(const ClientOptions& client, const std::string& method, const std::string& path,
                           const Params& params = {}, const std::string& body = "");

// Prints "stoker: MESSAGE" to standard error; returns 1.
int fail(const Error& error);

}  // namespace stoker::app
