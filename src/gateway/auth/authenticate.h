// The stages that ask who sends a request, and whether it may have the model it names.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string_view>

#include "gateway/request_context.h"

namespace stoker::gateway {

// What a client shows: the token of `Authorization: Bearer`, else `x-api-key`, else `api-key` (Anthropic's and Azure's
// SDKs). Nothing if there is none of them.
std::optional<std::string_view> credential_of(const net::Headers& headers);

// Sets context.identity. False: refused, and the request is settled.
boost::asio::awaitable<bool> authenticate(RequestContext& context);

// The same for the model that the request names, whether it exists or not: what one may not use one can't find out.
boost::asio::awaitable<bool> authorize_model(RequestContext& context, std::string_view model);

}  // namespace stoker::gateway
