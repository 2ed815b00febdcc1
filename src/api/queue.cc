// The pools' queues: how many are under way, how many wait, whose they are, and what the limit goes by.
#include <nlohmann/json.hpp>

#include "api/handlers.h"

namespace stoker::api {
namespace {

using nlohmann::json;

const char* name_of(gateway::ConcurrencyMode mode) {
    return mode == gateway::ConcurrencyMode::Auto ? "auto" : "fixed";
}

json pool_json(const gateway::AdmissionStatus& pool) {
    json waiting = json::object();
    for (std::size_t i = 0; i < gateway::kPriorityClasses; ++i) {
        waiting[std::string(to_string(static_cast<gateway::Priority>(i)))] = pool.waiting[i];
    }
    json refused = json::object();
    for (std::size_t i = 1; i < gateway::kAdmissionEnds; ++i) {
        refused[std::string(to_string(static_cast<gateway::AdmissionEnd>(i)))] = pool.ended[i];
    }
    json tenants = json::array();
    for (const gateway::FairLine& line : pool.lines) {
        tenants.push_back({{"tenant", line.tenant},
                           {"priority", to_string(line.priority)},
                           {"waiting", line.waiting},
                           {"counter", line.counter}});
    }
    json made = {{"pool", pool.pool},
                 {"concurrency", name_of(pool.mode)},
                 {"limit", pool.limit ? json(*pool.limit) : json(nullptr)},
                 {"limit_per_replica", pool.per_replica},
                 {"running", pool.running},
                 {"queue", pool.queue},
                 {"waiting", std::move(waiting)},
                 {"oldest_wait_ms", pool.oldest_wait.count()},
                 {"refused", std::move(refused)},
                 {"drain_per_second", pool.drain_per_second},
                 {"tenants", std::move(tenants)}};
    if (pool.mode == gateway::ConcurrencyMode::Auto) {
        made["by"] = to_string(pool.sign);
        made["ttft_ratio"] = pool.ttft_ratio;
    }
    return made;
}

net::Response queues(Services& services, const ApiRequest& request) {
    constexpr std::int64_t kUsual = 100;
    constexpr std::int64_t kMost = 10'000;
    const auto most = request.number("most", kUsual, kMost);
    if (!most) return error_response(most.error());
    json pools = json::array();
    for (const auto& pool : services.queues(static_cast<std::size_t>(*most))) pools.push_back(pool_json(pool));
    return json_response(json{{"pools", std::move(pools)}}.dump());
}

}  // namespace

std::vector<Route> queue_routes(Services& services) {
    return {{"GET", "/api/v1/queues", Cost::Work,
             [&services](const ApiRequest& request) { return queues(services, request); }}};
}

}  // namespace stoker::api
