// GET /v1/models and /v1/models/NAME, from the configuration: what the sender may ask for, whoever is up.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "gateway/request_context.h"

namespace stoker::gateway {

bool is_models_path(std::string_view path);

// Answers the request; when it returns, the request is settled. REQUIRES: is_models_path(path).
boost::asio::awaitable<void> serve_models(RequestContext& context, std::string_view path);

// Refuses a request for a model that is not there, with near names of those that the sender may use.
boost::asio::awaitable<void> refuse_model(RequestContext& context, const RouteTable& table, std::string_view model);

}  // namespace stoker::gateway
