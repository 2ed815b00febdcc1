// The stage that takes a token (JWT) where a key could stand.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "gateway/request_context.h"

namespace stoker::gateway {

// Sets context.identity. False: refused, and the request is settled. A token of a key that the issuer has only just
// begun to sign with waits until its keys were fetched, for a bounded time. Where no keys are asked for, tokens of
// other issuers are not ours to judge and pass. REQUIRES: `token` outlives the call.
boost::asio::awaitable<bool> authenticate_token(RequestContext& context, std::string_view token, bool required);

}  // namespace stoker::gateway
