// Which paths go to engines, and what the gateway knows of each.
//
// Paths beginning with /v1/ that are not in the table are passed on too, as long as their body names a model; so are
// engines' own endpoints of that kind outside of /v1. What manages an engine is never passed on. Pure, thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "wire/dialect.h"

namespace stoker::gateway {

struct Endpoint {
    std::string_view path{};  // Empty: of no endpoint in the table.
    wire::Dialect dialect = wire::Dialect::Other;
    bool can_stream_usage = false;  // Knows stream_options.include_usage.
};

std::span<const Endpoint> endpoint_table();

// The endpoint that a POST to this path is for; empty if there is none.
std::optional<Endpoint> find_endpoint(std::string_view path);

// How errors are worded on this path, whether anything is there or not.
wire::Dialect error_dialect(std::string_view path);

}  // namespace stoker::gateway
