// The node agents that send here, and the tokens that let them.
#include "api/handlers.h"

namespace stoker::api {
namespace {

constexpr int kCreated = 201;

net::Response answer(const Result<std::string>& result, int status = 200) {
    return result ? json_response(*result, status) : error_response(result.error());
}

}  // namespace

std::vector<Route> agent_routes(Services& services) {
    AgentServices& agents = services.agents;
    return {
        {"GET", "/api/v1/agents", Cost::Work, [&agents](const ApiRequest&) { return json_response(agents.list()); }},
        {"DELETE", "/api/v1/agents/*", Cost::Work,
         [&agents](const ApiRequest& request) { return answer(agents.forget(request.captures[0])); }},
        {"GET", "/api/v1/agent-tokens", Cost::Work,
         [&agents](const ApiRequest&) { return json_response(agents.tokens()); }},
        {"POST", "/api/v1/agent-tokens", Cost::Work,
         [&agents](const ApiRequest& request) { return answer(agents.create_token(request.body), kCreated); }},
        {"POST", "/api/v1/agent-tokens/*/revoke", Cost::Work,
         [&agents](const ApiRequest& request) { return answer(agents.revoke_token(request.captures[0])); }}};
}

}  // namespace stoker::api
