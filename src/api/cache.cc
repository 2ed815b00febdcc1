// The cache: which answers are kept, by what they are and not by what they say; and forgetting them.
#include <nlohmann/json.hpp>

#include "api/handlers.h"

namespace stoker::api {
namespace {

using nlohmann::json;

gateway::CacheFilter filter_of(const ApiRequest& request) {
    return {.tenant = request.param("tenant").value_or(""),
            .model = request.param("model").value_or(""),
            .key = request.param("key").value_or("")};
}

std::int64_t millis(SteadyTime::duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

json line_json(const gateway::CacheLine& line, SteadyTime now) {
    const gateway::CachedAnswer& answer = *line.answer;
    return {{"key", crypto::to_hex(line.key)},
            {"tenant", answer.tenant},
            {"model", answer.model},
            {"endpoint", answer.endpoint},
            {"request_id", answer.request_id},
            {"stream", answer.stream},
            {"bytes", answer.bytes()},
            {"prompt_tokens", answer.prompt_tokens},
            {"completion_tokens", answer.completion_tokens},
            {"hits", answer.hits.load(std::memory_order_relaxed)},
            {"age_ms", millis(now - answer.stored_at)},
            {"left_ms", std::max<std::int64_t>(0, millis(answer.expires - now))}};
}

net::Response show(Services& services, const ApiRequest& request) {
    constexpr std::int64_t kUsual = 100;
    constexpr std::int64_t kMost = 10'000;
    const auto most = request.number("most", kUsual, kMost);
    if (!most) return error_response(most.error());
    const auto report = services.cache.report(filter_of(request), static_cast<std::size_t>(*most));
    const SteadyTime now = std::chrono::steady_clock::now();
    json answers = json::array();
    for (const gateway::CacheLine& line : report.lines) answers.push_back(line_json(line, now));
    return json_response(json{
        {"entries", report.entries},
        {"bytes", report.bytes},
        {"max_bytes", report.max_bytes},
        {"answers",
         std::move(answers)}}.dump());
}

net::Response purge(Services& services, const ApiRequest& request) {
    return json_response(json{{"purged", services.cache.purge(filter_of(request))}}.dump());
}

}  // namespace

std::vector<Route> cache_routes(Services& services) {
    return {{"GET", "/api/v1/cache", Cost::Work,
             [&services](const ApiRequest& request) { return show(services, request); }},
            {"DELETE", "/api/v1/cache", Cost::Work,
             [&services](const ApiRequest& request) { return purge(services, request); }}};
}

}  // namespace stoker::api
