// The keys of the gateway's clients: made, changed and revoked while Stoker runs.
#include "api/handlers.h"

namespace stoker::api {
namespace {

constexpr int kCreated = 201;

net::Response answer(const Result<std::string>& result, int status = 200) {
    return result ? json_response(*result, status) : error_response(result.error());
}

net::Response list(Services& services, const ApiRequest& request) {
    constexpr std::int64_t kUsual = 1'000;
    constexpr std::int64_t kMost = 100'000;
    const auto limit = request.number("limit", kUsual, kMost);
    if (!limit) return error_response(limit.error());
    const auto offset = request.number("offset", 0, kMost);
    if (!offset) return error_response(offset.error());
    return json_response(services.keys.list({.tenant = request.param("tenant").value_or(""),
                                             .state = request.param("state").value_or(""),
                                             .prefix = request.param("prefix").value_or(""),
                                             .limit = static_cast<std::size_t>(*limit),
                                             .offset = static_cast<std::size_t>(*offset)}));
}

}  // namespace

std::vector<Route> key_routes(Services& services) {
    KeyServices& keys = services.keys;
    const auto id = [](const ApiRequest& request) -> const std::string& { return request.captures[0]; };
    return {
        {"GET", "/api/v1/keys", Cost::Work, [&services](const ApiRequest& request) { return list(services, request); }},
        {"POST", "/api/v1/keys", Cost::Work,
         [&keys](const ApiRequest& request) { return answer(keys.create(request.body), kCreated); }},
        {"GET", "/api/v1/keys/*", Cost::Work,
         [&keys, id](const ApiRequest& request) { return answer(keys.find(id(request))); }},
        {"PATCH", "/api/v1/keys/*", Cost::Work,
         [&keys, id](const ApiRequest& request) { return answer(keys.edit(id(request), request.body)); }},
        {"DELETE", "/api/v1/keys/*", Cost::Work,
         [&keys, id](const ApiRequest& request) { return answer(keys.remove(id(request))); }},
        {"POST", "/api/v1/keys/*/rotate", Cost::Work,
         [&keys, id](const ApiRequest& request) { return answer(keys.rotate(id(request), request.body)); }},
        {"POST", "/api/v1/keys/*/revoke", Cost::Work,
         [&keys, id](const ApiRequest& request) { return answer(keys.revoke(id(request))); }}};
}

}  // namespace stoker::api
