// The stage that shows a request to the scanner, where there is one.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "gateway/hooks/content_scanner.h"
#include "gateway/request_context.h"

namespace stoker::gateway {

// False: refused, and the request is settled.
boost::asio::awaitable<bool> scan_content(RequestContext& context);

// For a stream that begins; null if nobody wants to see it.
std::unique_ptr<StreamScanner> scan_stream(RequestContext& context);

}  // namespace stoker::gateway
