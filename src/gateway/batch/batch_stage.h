// Sends a request to an engine: by itself, or together with others that differ in nothing but their texts.
//
// What is told of a batch in records, ledgers and limits is each request's own share. A batch of which something was
// refused is tried once more one by one, so that nobody suffers for another's input; one that found no engine able to
// answer is not, for its parts would not either.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "gateway/request_context.h"

namespace stoker::gateway {

// Settles the request. REQUIRES: as forward().
boost::asio::awaitable<void> send(RequestContext& context);

}  // namespace stoker::gateway
