// /v1/responses/ID and what is below it: to the engine that made the response, as they are.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/request_context.h"

namespace stoker::gateway {

// A path of a stored response.
struct StoredPath {
    std::string id;
    std::string_view methods;  // That it takes: "GET, DELETE", "POST" or "GET".
};

// Empty if the path is none: /v1/responses/ID, ID/cancel, ID/input_items.
std::optional<StoredPath> stored_path(std::string_view path);

// From authentication to the answer. REQUIRES: the method is one of path.methods.
boost::asio::awaitable<void> serve_stored_response(RequestContext& context, StoredPath path);

// The replica of the pool that has the response which this request goes on from; empty if it names none, or that is not
// known.
std::optional<std::size_t> keeper_of_conversation(RequestContext& context, const Pool& pool);

// The answer that begins with `json` (a whole one, or a stream's first event) is of the replica being asked.
void note_response(RequestContext& context, std::string_view json);

}  // namespace stoker::gateway
