// Limits: what each subject has used, and the ledger behind the last refusals.
#include <nlohmann/json.hpp>

#include "api/handlers.h"

namespace stoker::api {
namespace {

using nlohmann::json;

json line_json(const gateway::LimitLine& line) {
    return {{"scope", to_string(line.scope)},
            {"name", line.name},
            {"limit", to_string(line.kind)},
            {"value", line.limit},
            {"used", line.used},
            {"reserved", line.reserved},
            {"remaining", line.remaining},
            {"reset_ms", line.reset.count()}};
}

json refusal_json(const gateway::RefusalEntry& entry) {
    return {{"time_ms", to_millis(entry.at)},
            {"request_id", entry.request_id},
            {"tenant", entry.tenant},
            {"key", entry.key},
            {"model", entry.model},
            {"scope", to_string(entry.refusal.scope)},
            {"name", entry.refusal.name},
            {"limit", to_string(entry.refusal.kind)},
            {"value", entry.refusal.limit},
            {"used", entry.refusal.used},
            {"reserved", entry.refusal.reserved},
            {"asked", entry.refusal.asked},
            {"retry_after_ms", entry.refusal.retry_after.count()}};
}

json sharing_json(const gateway::SharingReport& report) {
    json made{{"state", to_string(report.state)}};
    if (report.state == gateway::Sharing::Off) return made;
    made["gateways"] = report.gateways;
    made["since_ms"] = to_millis(report.since);
    if (!report.reason.empty()) made["reason"] = report.reason;
    return made;
}

net::Response limits(Services& services, const ApiRequest& request) {
    constexpr std::int64_t kUsual = 1'000;
    constexpr std::int64_t kMost = 100'000;
    const auto most = request.number("most", kUsual, kMost);
    if (!most) return error_response(most.error());
    const std::string scope = request.param("scope").value_or("");
    const std::string name = request.param("name").value_or("");
    const gateway::LimitsReport report = services.limits();
    json lines = json::array();
    for (const gateway::LimitLine& line : report.lines) {
        if ((!scope.empty() && scope != to_string(line.scope)) || (!name.empty() && name != line.name)) continue;
        if (lines.size() < static_cast<std::size_t>(*most)) lines.push_back(line_json(line));
    }
    json refused = json::array();
    for (const gateway::RefusalEntry& entry : report.refused) refused.push_back(refusal_json(entry));
    return json_response(json{
        {"share", report.share},
        {"sharing", sharing_json(services.sharing())},
        {"limits", std::move(lines)},
        {"refused",
         std::move(refused)}}.dump());
}

}  // namespace

std::string json_of(const gateway::SharingReport& report) {
    return sharing_json(report).dump();
}

std::vector<Route> limit_routes(Services& services) {
    return {{"GET", "/api/v1/limits", Cost::Work,
             [&services](const ApiRequest& request) { return limits(services, request); }}};
}

}  // namespace stoker::api
