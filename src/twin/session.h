// One generation request on one connection: read, schedule, answer. Runs on the connection's loop.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "net/server.h"
#include "twin/engine.h"
#include "twin/generation.h"

namespace stoker::twin {

// Serves a POST to an OpenAI generation endpoint. REQUIRES: `engine` outlives the exchange.
boost::asio::awaitable<void> serve_generation(Engine& engine, Endpoint endpoint, net::Exchange& exchange);

// Waits while the fault that holds the engine is on, until the client leaves or the engine stops; false if it did.
boost::asio::awaitable<bool> wait_while_hung(Engine& engine, net::Exchange& exchange, bool health);

boost::asio::awaitable<void> respond_json(net::Exchange& exchange, int status, std::string body);
boost::asio::awaitable<void> respond_error(net::Exchange& exchange, int status, std::string message);

}  // namespace stoker::twin
