// Engines: what the gateway, the collectors and the supervisor each know of them, joined by URL and replica id.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/metric_reader.h"
#include "api/replicas.h"

namespace stoker::api {
namespace {

using nlohmann::json;

// Trailing slashes do not make another engine.
std::string same_url(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    return url;
}

json scrape(const EngineFacts& facts) {
    if (!facts.scraped) return nullptr;
    return {{"ok", facts.scrape_ok},
            {"last_ms", to_millis(facts.scrape_at)},
            {"duration_s", facts.scrape_seconds},
            {"samples", facts.scrape_samples},
            {"error", facts.scrape_error}};
}

json findings(const EngineFacts& facts) {
    json list = json::array();
    for (const collect::Finding& finding : facts.findings) {
        list.push_back({{"finding", to_string(finding.code)},
                        {"severity", to_string(finding.severity)},
                        {"metric", finding.metric},
                        {"text", finding.text},
                        {"fix", finding.fix}});
    }
    return list;
}

json from_facts(const EngineFacts& facts) {
    return {{"kind", facts.kind},
            {"version", facts.version},
            {"engine_models", facts.models},
            {"scrape", scrape(facts)},
            {"findings", findings(facts)}};
}

json discovered(const EngineFacts& facts) {
    json engine = from_facts(facts);
    engine.update(
        {{"id", facts.url}, {"pool", ""}, {"url", facts.url}, {"models", json::array()}, {"state", "discovered"}});
    return engine;
}

json engine_list(Services& services) {
    MetricReader read(services.engine, services.querier, services.now());
    struct Wanted {
        const char* key;
        std::map<std::string, double> values;
    };
    const Wanted metrics[] = {{"running", read.by("replica", "sum by (replica) (llm_engine_requests_running)")},
                              {"waiting", read.by("replica", "sum by (replica) (llm_engine_requests_waiting)")},
                              {"kv_usage", read.by("replica", "max by (replica) (llm_engine_kv_usage_ratio)")}};
    std::map<std::string, EngineFacts> by_url;
    for (auto& facts : services.engines()) by_url[same_url(facts.url)] = facts;
    std::map<std::string, ProcessFacts> processes;
    for (auto& process : services.processes()) processes[process.replica] = process;

    json list = json::array();
    std::map<std::string, bool> in_pool;
    for (const auto& replica : services.replicas()) {
        json engine = replica_json(replica);
        auto url = same_url(replica.url);
        in_pool[url] = true;
        engine.update(from_facts(by_url.contains(url) ? by_url[url] : EngineFacts{}));
        engine["process"] = nullptr;
        if (auto process = processes.find(replica.id); process != processes.end()) {
            engine["process"] = {{"supervised", true},
                                 {"pid", process->second.pid},
                                 {"restarts", process->second.restarts},
                                 {"state", process->second.state}};
        }
        for (const auto& metric : metrics) {
            auto found = metric.values.find(replica.id);
            engine["metrics"][metric.key] = found == metric.values.end() ? json(nullptr) : json(found->second);
        }
        list.push_back(std::move(engine));
    }
    for (const auto& [url, facts] : by_url) {
        if (!in_pool[url]) list.push_back(discovered(facts));
    }
    return list;
}

}  // namespace

std::vector<Route> engine_routes(Services& services) {
    return {{"GET", "/api/v1/engines", Cost::Work, [&services](const ApiRequest&) {
                 return json_response(json{{"engines", engine_list(services)}}.dump());
             }}};
}

}  // namespace stoker::api
