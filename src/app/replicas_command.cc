// `stoker replicas`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/cli_parts.h"
#include "app/table.h"
#include "base/time.h"

namespace stoker::app {
namespace {

using nlohmann::json;

struct ReplicasOptions {
    std::string pool;
    ClientOptions client;
};

// "4m" for how long ago that was; "-" where it never was.
std::string since(const json& replica, const char* key) {
    const auto at = replica.value(key, std::int64_t{0});
    if (at == 0) return "-";
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now() - from_millis(at));
    return format_duration(std::max(seconds, std::chrono::seconds{0}));
}

int replicas(const ReplicasOptions& options) {
    auto answer = ask(options.client, "GET", "/api/v1/replicas");
    if (!answer) return fail(answer.error());
    json& list = answer->at("replicas");
    if (!options.pool.empty()) {
        json chosen = json::array();
        for (json& replica : list) {
            if (replica.value("pool", "") == options.pool) chosen.push_back(std::move(replica));
        }
        list = std::move(chosen);
    }
    if (options.client.output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
        return 0;
    }
    Table table({"REPLICA", "STATE", "SINCE", "WEIGHT", "UNDER WAY", "REQUESTS", "FAILURES", "HEALTH", "WHY"});
    for (const json& replica : list) {
        table.add({replica.value("id", ""), replica.value("state", ""), since(replica, "since_ms"),
                   fmt::format("{:.2f}", replica.value("weight", 1.0)),
                   std::to_string(replica.value("outstanding", std::int64_t{0})),
                   std::to_string(replica.value("requests_total", std::int64_t{0})),
                   std::to_string(replica.value("failures_total", std::int64_t{0})),
                   replica.at("health").value("detail", ""), replica.value("reason", "")});
    }
    std::fputs(table.empty() ? "no replicas\n" : table.text().c_str(), stdout);
    return 0;
}

}  // namespace

void add_replicas(CLI::App& app, Run& run) {
    static ReplicasOptions options;
    auto& command = add_command(app, "replicas", "List replicas: which take requests, which don't, and why",
                                "  stoker replicas\n  stoker replicas --pool chat --output json\n");
    command.add_option("--pool", options.pool, "only this pool's")->option_text("NAME");
    add_client(command, options.client);
    command.callback([&run] { run = [] { return replicas(options); }; });
}

}  // namespace stoker::app
