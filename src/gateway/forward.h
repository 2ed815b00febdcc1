// From an understood request to a settled one: picks replicas, tries them, goes on to the plan's fallbacks, and gives
// up with a reason.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "gateway/request_context.h"

namespace stoker::gateway {

// Takes the steps of the request's plan in order until one of them answers. Within a step the request is sent to a
// replica of its pool, and to others while the client has not had its first byte and retrying can help; the same
// replica is asked again, after a pause, only when no other is left. At the end the request is settled.
// REQUIRES: context.plan, context.scan and context.body are set.
boost::asio::awaitable<void> forward(RequestContext& context);

}  // namespace stoker::gateway
