// Which handler answers which request: exact paths with `*` for one segment.
//
// Immutable after construction, so thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/request.h"

namespace stoker::api {

using Handler = std::function<net::Response(const ApiRequest&)>;

// Quick handlers run on the event loop and must not block; Work ones run on the compute pool, Query ones on the pool
// for queries, whose size is how many of those run at a time.
enum class Cost : std::uint8_t { Quick, Work, Query };

struct Route {
    std::string methods;  // "GET", "GET,POST"; GET also answers HEAD.
    std::string pattern;  // "/api/v1/incidents/*/approve"
    Cost cost = Cost::Work;
    Handler handler;

    // Changes nothing: it answers GET, and what it answers to POST is the same with the parameters in a form.
    bool reads() const { return methods.starts_with("GET"); }
};

struct Match {
    const Route* route = nullptr;
    std::vector<std::string> captures;
    bool path_known = false;  // Some route has this path, if for other methods: 405 rather than 404.
    std::string allowed;      // Their methods, for the Allow header.
};

class Router {
public:
    explicit Router(std::vector<Route> routes) : routes_(std::move(routes)) {}
    Match find(std::string_view method, std::string_view path) const;
    const std::vector<Route>& routes() const { return routes_; }

private:
    std::vector<Route> routes_;
};

}  // namespace stoker::api
