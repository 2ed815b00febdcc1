// Which endpoints there are, and the way of one request from its head to forward().
#pragma once

#include <boost/asio/awaitable.hpp>

#include "gateway/request_context.h"

namespace stoker::gateway {

// Answers the request; when it returns, the request is settled.
boost::asio::awaitable<void> serve(RequestContext& context);

}  // namespace stoker::gateway
