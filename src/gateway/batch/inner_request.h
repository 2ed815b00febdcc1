// A request that the gateway makes itself, the way a client's would go: by the plan, with its retries and fallbacks.
//
// It is on no record and counts against no limit by itself: whoever it is made for accounts for it. What it has an
// engine do is in that replica's metrics. Lives in the frame of the request that it is made for.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gateway/batch/inner_exchange.h"
#include "gateway/request_context.h"

namespace stoker::gateway {

struct InnerAnswer {
    std::optional<net::Response> response{};  // Empty: none, or not all of one.
    records::RequestRecord record{};
};

class InnerRequest {
public:
    // For the same client as `context`. REQUIRES: `body` is a request that scan_request() takes.
    InnerRequest(RequestContext& context, net::RequestHead head, std::string body, RoutePlan plan, Endpoint endpoint);

    boost::asio::awaitable<InnerAnswer> run();

    // Ends it, from any thread, if it is still under way.
    std::function<void()> give_up_later();

private:
    boost::asio::io_context& loop_;
    InnerExchange exchange_;
    RequestContext inner_;
    const std::shared_ptr<InnerExchange*> alive_;
};

}  // namespace stoker::gateway
