// What the simulated engine answers beside generation: tokenize, count_tokens, rerank, audio.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "net/server.h"
#include "twin/engine.h"

namespace stoker::twin {

// REQUIRES: the path is one of these.
boost::asio::awaitable<void> serve_extra(Engine& engine, net::Exchange& exchange);

}  // namespace stoker::twin
