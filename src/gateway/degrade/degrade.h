// The stage that cuts a request back to what the degradation level of its pool allows.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "gateway/request_context.h"

namespace stoker::gateway {

// Edits the request (model, dropped members, cap of the answer), or refuses it, or answers it with the level's own
// text. False if the request is settled. Costs one atomic load while nothing is degraded.
// REQUIRES: context.body, context.scan and context.plan are set; another model is planned for anew.
boost::asio::awaitable<bool> degrade(RequestContext& context);

// Refuses a request of a level that only answers from the cache, or answers it with the level's own text.
boost::asio::awaitable<void> refuse_uncached(RequestContext& context);

}  // namespace stoker::gateway
