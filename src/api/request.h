// What a console handler gets and the answers it gives, as values.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/http.h"

namespace stoker::api {

struct ApiRequest {
    std::string method;
    std::string path;                                         // Decoded from nothing: as sent, without the query.
    std::vector<std::pair<std::string, std::string>> params;  // A form body's, then the query's, decoded, in order.
    std::vector<std::string> captures = {};                   // What `*` of the route matched, decoded.
    std::string body = {};
    std::string accept = {};                       // The header.
    Duration queued{0};                            // Waited for a thread so long.
    const std::atomic<bool>* cancelled = nullptr;  // Set when the client leaves; may be null.

    // The first parameter of that name that isn't empty.
    std::optional<std::string> param(std::string_view name) const;
    // A whole number from 0 to `most`. Errors: InvalidArgument, naming the parameter.
    Result<std::int64_t> number(std::string_view name, std::int64_t fallback, std::int64_t most) const;
};

net::Response json_response(std::string body, int status = 200);
net::Response text_response(std::string body, int status = 200);

// {"status":"error","error":{"code":…,"message":…}} with the status that fits the code.
net::Response error_response(const Error& error);

}  // namespace stoker::api
