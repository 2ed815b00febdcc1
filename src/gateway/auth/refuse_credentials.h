// Refusing whoever shows no credentials, or bad ones: counted by address, so that guessing stays cheap for us.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "gateway/request_context.h"

namespace stoker::gateway {

// Settles the request. An address that was refused too often is told so instead.
boost::asio::awaitable<void> refuse_credentials(RequestContext& context, GatewayError error, std::string message);

}  // namespace stoker::gateway
