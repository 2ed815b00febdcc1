// `stoker agents`.
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/table.h"
#include "base/time.h"
#include "net/http.h"

namespace stoker::app {
namespace {

using nlohmann::json;

std::string text(const json& entry, const char* key) {
    const auto found = entry.find(key);
    return found != entry.end() && found->is_string() ? found->get<std::string>() : "-";
}

std::string time_of(const json& entry, const char* key) {
    const auto found = entry.find(key);
    if (found == entry.end() || !found->is_number_integer()) return "-";
    return format_timestamp(from_millis(found->get<std::int64_t>()));
}

int finish(const Result<json>& answer, Output output, void (*print)(const json&)) {
    if (!answer) return fail(answer.error());
    if (output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
    } else {
        print(*answer);
    }
    return 0;
}

void print_agents(const json& answer) {
    Table table({"AGENT", "STATE", "TOKEN", "VERSION", "FIRST SEEN", "LAST SEEN", "REQUESTS", "MIB"});
    for (const json& one : answer.at("agents")) {
        table.add({text(one, "name"), text(one, "state"), text(one, "token"), text(one, "version"),
                   time_of(one, "first_seen_ms"), time_of(one, "last_seen_ms"),
                   std::to_string(one.value("requests", std::int64_t{0})),
                   fmt::format("{:.1f}", one.value("bytes", 0.0) / (1 << 20))});
    }
    std::fputs(table.empty() ? "no agent has sent anything yet (docs/agent.md)\n" : table.text().c_str(), stdout);
}

void print_tokens(const json& answer) {
    Table table({"ID", "NAME", "STATE", "CREATED", "EXPIRES", "LAST USED"});
    for (const json& one : answer.at("tokens")) {
        table.add({text(one, "id"), text(one, "name"), text(one, "state"), time_of(one, "created_ms"),
                   time_of(one, "expires_ms"), time_of(one, "last_used_ms")});
    }
    std::fputs(table.empty() ? "no tokens; stoker agents token create --name NAME\n" : table.text().c_str(), stdout);
}

// The token alone to standard output, where a file takes it from.
void print_secret(const json& answer) {
    std::printf("%s\n", answer.at("secret").get_ref<const std::string&>().c_str());
    std::fflush(stdout);
    std::fprintf(stderr, "token %s for %s; it is shown this once\n", text(answer.at("token"), "id").c_str(),
                 text(answer.at("token"), "name").c_str());
}

}  // namespace

int agents_list(const ClientOptions& client) {
    return finish(ask(client, "GET", "/api/v1/agents"), client.output, print_agents);
}

int agents_forget(const AgentForgetOptions& options) {
    return finish(ask(options.client, "DELETE", "/api/v1/agents/" + net::url_encode(options.name)),
                  options.client.output, [](const json&) { std::printf("forgotten\n"); });
}

int agent_token_create(const AgentTokenOptions& options) {
    json body = {{"name", options.name}};
    if (options.expires != "never") {
        const auto lifetime = parse_duration(options.expires);
        if (!lifetime) return fail(Error(lifetime.error()).context("--expires"));
        body["expires_ms"] = to_millis(now() + *lifetime);
    }
    return finish(ask(options.client, "POST", "/api/v1/agent-tokens", {}, body.dump()), options.client.output,
                  print_secret);
}

int agent_token_list(const ClientOptions& client) {
    return finish(ask(client, "GET", "/api/v1/agent-tokens"), client.output, print_tokens);
}

int agent_token_revoke(const AgentTokenOptions& options) {
    return finish(ask(options.client, "POST", "/api/v1/agent-tokens/" + net::url_encode(options.name) + "/revoke"),
                  options.client.output,
                  [](const json& token) { std::printf("revoked: %s\n", text(token, "id").c_str()); });
}

}  // namespace stoker::app
