// `stoker queues`.
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/table.h"

namespace stoker::app {
namespace {

std::string count(const nlohmann::json& entry, const char* key) {
    const auto found = entry.find(key);
    return found != entry.end() && found->is_number() ? std::to_string(found->get<std::int64_t>()) : "-";
}

// Those turned away since Stoker began; clients that left by themselves are none.
std::string refusals(const nlohmann::json& pool) {
    std::int64_t all = 0;
    const auto refused = pool.value("refused", nlohmann::json::object());
    for (const char* reason : {"queue_full", "shed", "timeout", "too_long"}) all += refused.value(reason, 0);
    return std::to_string(all);
}

void print_tenants(const nlohmann::json& pools) {
    Table table({"POOL", "PRIORITY", "TENANT", "WAITING", "TOKENS"});
    for (const auto& pool : pools) {
        for (const auto& line : pool.at("tenants")) {
            table.add({pool.value("pool", ""), line.value("priority", ""), line.value("tenant", ""),
                       count(line, "waiting"), fmt::format("{:.0f}", line.value("counter", 0.0))});
        }
    }
    if (!table.empty()) std::printf("\n%s", table.text().c_str());
}

}  // namespace

int queues(const QueuesOptions& options) {
    auto answer = ask(options.client, "GET", "/api/v1/queues", {});
    if (!answer) return fail(answer.error());
    if (options.client.output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
        return 0;
    }
    Table table({"POOL", "CONCURRENCY", "LIMIT", "RUNNING", "HIGH", "NORMAL", "LOW", "QUEUE", "OLDEST", "REFUSED",
                 "DRAIN/S", "BY"});
    for (const auto& pool : answer->at("pools")) {
        const auto& waiting = pool.at("waiting");
        table.add({pool.value("pool", ""), pool.value("concurrency", ""), count(pool, "limit"), count(pool, "running"),
                   count(waiting, "high"), count(waiting, "normal"), count(waiting, "low"), count(pool, "queue"),
                   fmt::format("{:.1f}s", static_cast<double>(pool.value("oldest_wait_ms", 0)) / 1000), refusals(pool),
                   fmt::format("{:.2f}", pool.value("drain_per_second", 0.0)), pool.value("by", "-")});
    }
    std::fputs(table.empty() ? "no pool limits its concurrency (pools[].admission)\n" : table.text().c_str(), stdout);
    print_tenants(answer->at("pools"));
    return 0;
}

}  // namespace stoker::app
