// Asks an embeddings model of the gateway's own what a question means. The
// request is made as any other would be made to that model, but stands on no
// record and counts against no limit.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "gateway/request_context.h"

namespace stoker::gateway {

// Of length 1. Empty: the model did not answer well, or not within two seconds;
// nobody should wait longer for what may save nothing.
boost::asio::awaitable<std::vector<float>> embed(RequestContext& context, std::string model, std::string text);

}  // namespace stoker::gateway
