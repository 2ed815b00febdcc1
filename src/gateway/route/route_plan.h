// Where a request may go: models, each with its pool, in the order in which they are tried.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "gateway/meter/tokens.h"
#include "gateway/route/routes.h"
#include "wire/openai.h"

namespace stoker::gateway {

class RequestContext;

struct RoutePlan {
    std::shared_ptr<const RouteTable> table;  // Keeps the steps' routes alive.
    std::vector<RouteStep> steps;             // Never empty for a request that is forwarded.
    std::string_view rule{};                  // That chose the first step; empty: none. Of the table.
    std::string_view split{};                 // Or canary, whose draw did; empty: none.
    std::string_view arm{};                   // What it drew.
    CanarySample* sample = nullptr;           // Of the first step: how the request ends is counted there.
    std::string adapter{};                    // The LoRA adapter of the first step's model that is asked for, or none.

    // Appends the model and its fallbacks.
    void add(const ModelRoute& route, const ModelBounds& allowed);
};

// The body's `user` as written, without its quotes; empty if it has none.
std::string_view user_of(const wire::RequestScan& scan, std::string_view body);

// What the route of this request may depend on. REQUIRES: context.scan is set, and outlives it.
RouteQuestion question_of(RequestContext& context);

// Fills context.plan; false if there is nowhere to go, and the request is settled.
// REQUIRES: context.scan is set.
boost::asio::awaitable<bool> plan_route(RequestContext& context);

}  // namespace stoker::gateway
