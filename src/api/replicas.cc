// Replicas as the gateway sees them, and taking them out of traffic and back.
#include "api/replicas.h"

#include <nlohmann/json.hpp>

#include "api/handlers.h"

namespace stoker::api {
namespace {

using nlohmann::json;

std::string list_json(const std::vector<gateway::ReplicaStatus>& replicas) {
    json list = json::array();
    for (const auto& replica : replicas) list.push_back(replica_json(replica));
    return json{{"replicas", std::move(list)}}.dump();
}

struct Change {
    std::string replica;
    std::string reason;
};

Result<Change> change_of(const ApiRequest& request) {
    const json body = json::parse(request.body, nullptr, false);
    if (!body.is_object()) return Error{Errc::InvalidArgument, "the body must be a JSON object"};
    Change change;
    for (const auto& [key, into] : {std::pair{"replica", &change.replica}, std::pair{"reason", &change.reason}}) {
        const auto found = body.find(key);
        if (found == body.end()) continue;
        if (!found->is_string()) return Error{Errc::InvalidArgument, std::string("'") + key + "' must be a text"};
        *into = found->get<std::string>();
    }
    if (change.replica.empty()) return Error{Errc::InvalidArgument, "the body must name a 'replica'"};
    return change;
}

net::Response drain(Services& services, const ApiRequest& request, bool back) {
    auto change = change_of(request);
    if (!change) return error_response(change.error());
    const auto after = back ? services.undrain(change->replica) : services.drain(change->replica, change->reason);
    return after ? json_response(list_json(*after)) : error_response(after.error());
}

}  // namespace

nlohmann::json replica_json(const gateway::ReplicaStatus& replica) {
    return {{"id", replica.id},
            {"pool", replica.pool},
            {"url", replica.url},
            {"models", replica.models},
            {"state", std::string(gateway::to_string(replica.state))},
            {"reason", replica.reason},
            {"since_ms", to_millis(replica.since)},
            {"outstanding", replica.outstanding},
            {"requests_total", replica.requests_total},
            {"failures_total", replica.failures_total},
            {"weight", replica.weight},
            {"failures_in_row", replica.failures_in_row},
            {"trial_at_ms", to_millis(replica.trial_at)},
            {"last_progress_ms", to_millis(replica.last_progress)},
            {"health",
             {{"ok", replica.health_ok}, {"detail", replica.health_detail}, {"at_ms", to_millis(replica.health_at)}}}};
}

std::vector<Route> replica_routes(Services& services) {
    return {{"GET", "/api/v1/replicas", Cost::Work,
             [&services](const ApiRequest&) { return json_response(list_json(services.replicas())); }},
            {"POST", "/api/v1/replicas/drain", Cost::Work,
             [&services](const ApiRequest& request) { return drain(services, request, false); }},
            {"POST", "/api/v1/replicas/undrain", Cost::Work,
             [&services](const ApiRequest& request) { return drain(services, request, true); }}};
}

}  // namespace stoker::api
