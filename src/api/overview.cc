// The overview page's numbers.
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/metric_reader.h"

namespace stoker::api {
namespace {

using nlohmann::json;

// Rates look back far enough for a few samples at the default collection interval of 5 s.
constexpr const char* kWindow = "[30s]";

json known(std::optional<double> value) {
    return value ? json(*value) : json(nullptr);
}

std::string rate(const std::string& selector) {
    return "sum(rate(" + selector + kWindow + "))";
}

std::string quantile(const char* q, const std::string& histogram) {
    return std::string("histogram_quantile(") + q + ", sum by (le) (rate(" + histogram + "_bucket" + kWindow + ")))";
}

json traffic(const MetricReader& read) {
    // Absent error series mean no error only once there are requests at all.
    auto requests = read.one(rate("llm_requests_total"));
    auto errors = read.one(rate("llm_requests_total{outcome=~\"upstream_error|truncated|rejected\"}"));
    if (requests && !errors) errors = 0;
    std::optional<double> ratio;
    if (requests && *requests > 0) ratio = *errors / *requests;
    json body = {{"requests_per_s", known(requests)},
                 {"errors_per_s", known(errors)},
                 {"error_ratio", known(ratio)},
                 {"active_requests", known(read.one("sum(llm_active_requests)"))},
                 {"prompt_tokens_per_s", known(read.one(rate("llm_tokens_total{type=\"prompt\"}")))},
                 {"completion_tokens_per_s", known(read.one(rate("llm_tokens_total{type=\"completion\"}")))}};
    struct Latency {
        const char* key;
        const char* histogram;
    };
    for (const auto& [key, histogram] :
         {Latency{"ttft", "llm_time_to_first_token_seconds"}, Latency{"itl", "llm_inter_token_latency_seconds"},
          Latency{"duration", "llm_request_duration_seconds"}}) {
        body[std::string(key) + "_p50_s"] = known(read.one(quantile("0.5", histogram)));
        body[std::string(key) + "_p99_s"] = known(read.one(quantile("0.99", histogram)));
    }
    return body;
}

json engines(Services& services, const MetricReader& read) {
    auto kv = read.by("replica", "max by (replica) (llm_engine_kv_usage_ratio)");
    auto running = read.by("replica", "sum by (replica) (llm_engine_requests_running)");
    auto waiting = read.by("replica", "sum by (replica) (llm_engine_requests_waiting)");
    auto tokens =
        read.by("replica", std::string("sum by (replica) (rate(llm_engine_generation_tokens_total") + kWindow + "))");
    auto find = [](const std::map<std::string, double>& values, const std::string& id) {
        auto found = values.find(id);
        return found == values.end() ? json(nullptr) : json(found->second);
    };
    json list = json::array();
    for (const auto& replica : services.replicas()) {
        list.push_back({{"id", replica.id},
                        {"state", std::string(gateway::to_string(replica.state))},
                        {"outstanding", replica.outstanding},
                        {"kv_usage", find(kv, replica.id)},
                        {"running", find(running, replica.id)},
                        {"waiting", find(waiting, replica.id)},
                        {"tokens_per_s", find(tokens, replica.id)}});
    }
    return list;
}

json host(const MetricReader& read) {
    const std::string devices = "{device!~\"lo|veth.*|docker.*|br-.*\"}";
    return {{"cpu_ratio",
             known(read.one(std::string("1 - avg(rate(node_cpu_seconds_total{mode=\"idle\"}") + kWindow + "))"))},
            {"load1", known(read.one("node_load1"))},
            {"memory_used_bytes", known(read.one("node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes"))},
            {"memory_total_bytes", known(read.one("node_memory_MemTotal_bytes"))},
            {"network_receive_bytes_per_s", known(read.one(rate("node_network_receive_bytes_total" + devices)))},
            {"network_transmit_bytes_per_s", known(read.one(rate("node_network_transmit_bytes_total" + devices)))},
            {"disk_read_bytes_per_s", known(read.one(rate("node_disk_read_bytes_total")))},
            {"disk_write_bytes_per_s", known(read.one(rate("node_disk_written_bytes_total")))}};
}

// The pools that are not at level normal; an empty name means all others.
json degraded(Services& services) {
    json list = json::array();
    for (const auto& scope : services.degradation().scopes) {
        if (scope.level == gateway::DegradationLevel::Normal) continue;
        list.push_back({{"pool", scope.pool}, {"name", gateway::to_string(scope.level)}, {"why", scope.why}});
    }
    return list;
}

}  // namespace

std::string overview_json(Services& services) {
    Timestamp at = services.now();
    MetricReader read(services.engine, services.querier, at);
    json body = {{"time_ms", to_millis(at)},           {"demo", services.status().demo},
                 {"version", STOKER_VERSION},          {"traffic", traffic(read)},
                 {"engines", engines(services, read)}, {"host", host(read)},
                 {"degraded", degraded(services)},     {"incidents", {{"open", services.open_incidents()}}}};
    return body.dump();
}

std::vector<Route> overview_routes(Services& services) {
    return {{"GET", "/api/v1/overview", Cost::Work,
             [&services](const ApiRequest&) { return json_response(overview_json(services)); }}};
}

}  // namespace stoker::api
