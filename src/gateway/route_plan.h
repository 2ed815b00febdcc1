// Where a request may go: models, each with its pool, in the order in which they are tried.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/routes.h"

namespace stoker::gateway {

// Why a model could not serve a request: what a fallback is chosen by.
enum class FallbackCause : std::uint8_t {
    Down,            // No replica takes requests, or all that were tried failed.
    Overloaded,      // Its replicas said 429 or 503, or the wait for a turn was too long.
    ContextTooLong,  // The prompt is longer than the model takes.
    ContentRefused   // The engine or its policy refused what was asked.
};

struct RouteStep {
    const ModelRoute* route = nullptr;
    std::vector<FallbackCause> after;  // Of a fallback: it is taken when the step before it ended so.
};

struct RoutePlan {
    std::shared_ptr<const RouteTable> table;  // Keeps the steps' routes alive.
    std::vector<RouteStep> steps;             // Never empty for a request that is forwarded.
    std::string rule;  // What chose the first step: a rule's or a split's name; empty: the model's own pool.
};

}  // namespace stoker::gateway
