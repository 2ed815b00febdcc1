// The stage that reads a request's body and finds in it what the route depends on.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "gateway/request_context.h"

namespace stoker::gateway {

// Fills context.body and context.scan. False if the body could not be read or understood; the request is then settled.
boost::asio::awaitable<bool> read_request(RequestContext& context);

}  // namespace stoker::gateway
