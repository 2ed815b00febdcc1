// `stoker drain` and `stoker undrain`.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "app/ask.h"
#include "app/cli_parts.h"
#include "app/table.h"
#include "base/time.h"

namespace stoker::app {
namespace {

using nlohmann::json;

void print(const json& answer, Output output) {
    if (output == Output::Json) {
        std::printf("%s\n", answer.dump().c_str());
        return;
    }
    Table table({"REPLICA", "STATE", "REASON", "UNDER WAY"});
    for (const json& replica : answer.at("replicas")) {
        table.add({replica.value("id", ""), replica.value("state", ""), replica.value("reason", ""),
                   std::to_string(replica.value("outstanding", std::int64_t{0}))});
    }
    std::fputs(table.text().c_str(), stdout);
}

// Those of `answer` as they are now. Errors: of the call.
Result<json> look_again(const ClientOptions& client, const json& answer) {
    std::set<std::string> wanted;
    for (const json& replica : answer.at("replicas")) wanted.insert(replica.value("id", ""));
    TRY(const json all, ask(client, "GET", "/api/v1/replicas"));
    json now{{"replicas", json::array()}};
    for (const json& replica : all.at("replicas")) {
        if (wanted.contains(replica.value("id", ""))) now["replicas"].push_back(replica);
    }
    return now;
}

std::int64_t under_way(const json& answer) {
    std::int64_t sum = 0;
    for (const json& replica : answer.at("replicas")) sum += replica.value("outstanding", std::int64_t{0});
    return sum;
}

// Errors: DeadlineExceeded where something is still under way after `limit`.
Result<json> wait_until_idle(const ClientOptions& client, json answer, Duration limit) {
    constexpr Duration kPause{200};
    const auto end = std::chrono::steady_clock::now() + limit;
    while (under_way(answer) > 0) {
        if (std::chrono::steady_clock::now() >= end) {
            return Error{Errc::DeadlineExceeded, std::to_string(under_way(answer)) +
                                                     " requests are still under way after " + format_duration(limit) +
                                                     "; it stays drained"};
        }
        std::this_thread::sleep_for(kPause);
        TRY(answer, look_again(client, answer));
    }
    return answer;
}

int drain(const DrainOptions& options) {
    Duration limit{0};
    if (!options.wait.empty()) {
        const auto wait = parse_duration(options.wait);
        if (!wait) return fail({Errc::InvalidArgument, "--wait: " + wait.error().message});
        limit = *wait;
    }
    const json body{{"replica", options.replica}, {"reason", options.reason}};
    auto answer = ask(options.client, "POST", "/api/v1/replicas/drain", {}, body.dump());
    if (answer && limit > Duration{0}) answer = wait_until_idle(options.client, *std::move(answer), limit);
    if (!answer) return fail(answer.error());
    print(*answer, options.client.output);
    return 0;
}

int undrain(const DrainOptions& options) {
    const auto answer =
        ask(options.client, "POST", "/api/v1/replicas/undrain", {}, json{{"replica", options.replica}}.dump());
    if (!answer) return fail(answer.error());
    print(*answer, options.client.output);
    return 0;
}

}  // namespace

void add_drain(CLI::App& app, Run& run) {
    static DrainOptions drain_options;
    auto& out =
        add_command(app, "drain", "Send a replica no new requests; what is under way goes on",
                    "  stoker drain chat/127.0.0.1:9001\n"
                    "  stoker drain 127.0.0.1:9001 --wait 10m --reason 'new driver' && systemctl stop vllm@1\n");
    out.add_option("replica", drain_options.replica, "its id, or its address in whatever pools")
        ->required()
        ->option_text("REPLICA");
    out.add_option("--reason", drain_options.reason, "shown to whoever asks why")->option_text("TEXT");
    out.add_option("--wait", drain_options.wait, "until nothing is under way there any more; fails after this long")
        ->option_text("DURATION");
    add_client(out, drain_options.client);
    out.callback([&run] { run = [] { return drain(drain_options); }; });

    static DrainOptions undrain_options;
    auto& back = add_command(app, "undrain", "Send a drained replica requests again",
                             "  stoker undrain chat/127.0.0.1:9001\n  stoker undrain 127.0.0.1:9001\n");
    back.add_option("replica", undrain_options.replica, "its id, or its address in whatever pools")
        ->required()
        ->option_text("REPLICA");
    add_client(back, undrain_options.client);
    back.callback([&run] { run = [] { return undrain(undrain_options); }; });
}

}  // namespace stoker::app
