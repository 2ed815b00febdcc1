// The ledgers of tokens, as JSON.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/ledger_report.h"

namespace stoker::api {
namespace {

using nlohmann::json;

json tokens_json(const LedgerTokens& tokens) {
    return {
        {"counted", tokens.counted},       {"usage", {{"stream", tokens.usage_stream}, {"whole", tokens.usage_whole}}},
        {"unreported", tokens.unreported}, {"known", tokens.known()},
        {"unseen", tokens.unseen},         {"engine", tokens.engine ? json(*tokens.engine) : json(nullptr)}};
}

json replica_json(const ReplicaLedger& replica) {
    json models = json::array();
    for (const auto& [name, ledger] : replica.models) {
        models.push_back(
            {{"model", name}, {"completion", tokens_json(ledger.completion)}, {"prompt", tokens_json(ledger.prompt)}});
    }
    json own = json::array();
    for (const auto& [name, ledger] : replica.own_models) {
        own.push_back({{"model", name},
                       {"completion", ledger.completion.engine.value_or(0)},
                       {"prompt", ledger.prompt.engine.value_or(0)}});
    }
    json drifts = json::array();
    for (const Drift drift : drifts_of(replica.all)) drifts.push_back(to_string(drift));
    return {{"pool", replica.pool},
            {"replica", replica.replica},
            {"completion", tokens_json(replica.all.completion)},
            {"prompt", tokens_json(replica.all.prompt)},
            {"drifts", std::move(drifts)},
            {"models", std::move(models)},
            {"engine_models", std::move(own)}};
}

// (from, to] as `last` (default 15m), or `from` and `to`.
Result<std::pair<Timestamp, Timestamp>> stretch(const ApiRequest& request, Timestamp now) {
    constexpr Duration kUsual = std::chrono::minutes(15);
    Timestamp to = now;
    if (const auto text = request.param("to")) {
        TRY(to, parse_timestamp(*text));
    }
    Timestamp from = to - kUsual;
    if (const auto last = request.param("last")) {
        TRY(const Duration length, parse_duration(*last));
        from = to - length;
    }
    if (const auto text = request.param("from")) {
        TRY(from, parse_timestamp(*text));
    }
    if (from >= to) return Error{Errc::InvalidArgument, "the stretch must end after it begins"};
    return std::pair{from, to};
}

net::Response ledgers(Services& services, const ApiRequest& request) {
    const auto when = stretch(request, services.now());
    if (!when) return error_response(when.error());
    const auto report = report_ledgers(services.querier, when->first, when->second);
    if (!report) return error_response(report.error());
    json replicas = json::array();
    for (const ReplicaLedger& replica : report->replicas) replicas.push_back(replica_json(replica));
    json waste = json::array();
    for (const auto& [key, tokens] : report->waste) {
        const auto& [pool, type, reason] = key;
        waste.push_back({{"pool", pool}, {"type", type}, {"reason", reason}, {"tokens", tokens}});
    }
    return json_response(json{
        {"from_ms", to_millis(when->first)},
        {"to_ms", to_millis(when->second)},
        {"bound", kLedgerBound},
        {"least_tokens", kLedgerLeast},
        {"replicas", std::move(replicas)},
        {"waste",
         std::move(waste)}}.dump());
}

}  // namespace

std::vector<Route> ledger_routes(Services& services) {
    return {{"GET", "/api/v1/ledgers", Cost::Work,
             [&services](const ApiRequest& request) { return ledgers(services, request); }}};
}

}  // namespace stoker::api
