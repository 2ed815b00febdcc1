// Where a request may go: models, each with its pool, in the order in which they are tried.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

#include "gateway/routes.h"

namespace stoker::gateway {

class RequestContext;

struct RoutePlan {
    std::shared_ptr<const RouteTable> table;  // Keeps the steps' routes alive.
    std::vector<RouteStep> steps;             // Never empty for a request that is forwarded.
    std::string rule;  // What chose the first step: a rule's or a split's name; empty: the model's own pool.

    // Appends the model and its fallbacks.
    void add(const ModelRoute& route);
};

// Fills context.plan; false if there is nowhere to go, and the request is settled.
// REQUIRES: context.scan is set.
boost::asio::awaitable<bool> plan_route(RequestContext& context);

}  // namespace stoker::gateway
