// From an understood request to a settled one: picks replicas, tries them, and gives up with a reason.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "gateway/request_context.h"

namespace stoker::gateway {

// Sends the request to a replica of its pool, and to others while the client has not had its first byte and retrying
// can help; asks the same replica again, after a pause, only when no other is left. At the end the request is settled.
// REQUIRES: context.route, context.scan and context.body are set.
boost::asio::awaitable<void> forward(RequestContext& context);

}  // namespace stoker::gateway
