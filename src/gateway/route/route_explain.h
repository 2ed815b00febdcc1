// Where a request would go, and why: for `stoker route explain` and its API. Sends nothing, counts nothing.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "gateway/auth/keyring.h"
#include "gateway/route/routes.h"

namespace stoker::gateway {

// `question` is a JSON object; `model` or a `body` with one must be there:
//   {"model", "path", "headers": {}, "tenant", "key_id", "metadata": {}, "prompt_tokens", "user", "time", "point",
//    "body": {the request itself}}
// The answer names each rule with why it matched or not, what aliases, canaries and splits did, and the plan: its steps
// with what each is taken after, and the replicas of each with what the balancer knows of them, and how old that is.
// A tenant brings the metadata and the bounds that it has in `keys`. Errors: InvalidArgument.
Result<std::string> explain_route(const RouteTable& table, const Keyring& keys, std::string_view question);

}  // namespace stoker::gateway
