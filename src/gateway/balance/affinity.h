// Whose requests belong together.
#pragma once

#include <string_view>

#include "gateway/request_context.h"

namespace stoker::gateway {

// What names the request's session: the header that its pool says (x-session-id), else the body's `user`, else the id
// of its key. Empty if there is none of them. A view into the context, valid as long as its head and body.
// REQUIRES: the context has a route.
std::string_view session_of(const RequestContext& context);

}  // namespace stoker::gateway
