// The stream of events, one server-sent event each, whose id is the place to go on from.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "api/services.h"
#include "net/server.h"

namespace stoker::api {

// GET /api/v1/events/stream, until the client leaves or Stoker stops. The log is read on `pool`.
boost::asio::awaitable<void> stream_events(net::Exchange& exchange, Services& services, boost::asio::thread_pool& pool);

}  // namespace stoker::api
