// pools: models, their replicas, and how the gateway treats them.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "app/config.h"
#include "app/config_checks.h"
#include "net/http.h"

namespace stoker::app {
namespace {

// What systemd allows in a unit's name, and never an option for systemctl.
bool is_unit_name(std::string_view text) {
    return !text.starts_with('-') && std::all_of(text.begin(), text.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view(":_.@\\-").find(c) != std::string_view::npos;
    });
}

// The host and port by which a replica is known.
std::string authority(const std::string& url) {
    const auto parsed = net::parse_url(url);
    return parsed ? parsed->host + ":" + parsed->port : url;
}

void check_replicas(config::Fields& f, const PoolConfig& pool) {
    for (std::size_t i = 0; i < pool.replicas.size(); ++i) {
        for (std::size_t earlier = 0; earlier < i; ++earlier) {
            f.check(fmt::format("replicas[{}].url", i),
                    authority(pool.replicas[i].url) != authority(pool.replicas[earlier].url),
                    "another replica of this pool has the same host and port");
        }
    }
}

}  // namespace

void describe(config::Fields& f, ReplicaConfig& c) {
    f.field("url", c.url,
            "Where the engine answers: http://HOST:PORT or https://...; a path is put before the endpoint's own.");
    f.required("url");
    if (!c.url.empty()) {
        const auto url = net::parse_url(c.url);
        f.check("url", url.has_value(), url ? "" : url.error().message);
    }
    f.field("model", c.model, "The engine's own name for the model; empty passes on what the client sent.");
    f.choice(
        "continuation", c.continuation, {"auto", "on", "off"},
        "Whether the engine goes on with a chat that another one has begun to answer: auto if it is vLLM, SGLang or "
        "llama.cpp, on if it takes continue_final_message.");
    f.secret("api_key", c.api_key,
             "Bearer token sent to the engine instead of the client's Authorization; empty passes the client's on.");
    f.field("adapters", c.adapters,
            "LoRA adapters that the engine has and does not list: TGI's, by their names in LORA_ADAPTERS. vLLM's, "
            "SGLang's and llama.cpp's are found.");
    f.field(
        "run", c.run,
        "Command that runs the engine in the foreground, word by word, without a shell. Stoker starts it, watches it, "
        "and can restart it.");
    f.check("run", c.run.empty() || !c.run.front().empty(), "must begin with a program");
    f.secrets("env", c.env, "Environment variables for `run`, added to Stoker's own.");
    f.check("env", c.env.empty() || !c.run.empty(), "is only for `run`, which is not given");
    f.field("systemd", c.systemd, "systemd unit that runs the engine; Stoker can restart it. Not together with `run`.");
    f.check("systemd", is_unit_name(c.systemd), "is not the name of a systemd unit, such as vllm@1.service");
    f.check("systemd", c.systemd.empty() || c.run.empty(), "excludes `run`: one of them starts the engine");
}

void describe(config::Fields& f, HealthConfig& c) {
    f.field("path", c.path, "Path of the health check; any answer below 500 counts as healthy.");
    f.check("path", c.path.starts_with('/'), "must begin with '/'");
    positive(f, "interval", c.interval, "Time between health checks; half of it while they fail.");
    positive(f, "timeout", c.timeout, "Limit for one health check.");
    at_least(f, "unhealthy_after", c.unhealthy_after, 1, "Failed checks in a row that make a replica down.");
    at_least(f, "healthy_after", c.healthy_after, 1, "Good checks in a row that bring it back.");
    at_least(f, "refused_after", c.refused_after, 1,
             "Connections of real requests refused in a row that make it down.");
    positive(f, "stall_after", c.stall_after,
             "Silence of every stream under way that makes a replica hung, though its health check may answer 200.");
    positive(
        f, "silent_after", c.silent_after,
        "The same while its streams only wait for their first token; and where nothing is streamed, silence of its "
        "answers and of its own counters of tokens.");
    positive(f, "probe_answer", c.probe_answer, "How long a hung replica may take to answer the probe that clears it.");
}

void describe(config::Fields& f, ContinuationConfig& c) {
    at_least(f, "max", c.max, 0, "How often one stream may be continued; 0 never continues.");
}

void describe(config::Fields& f, PoolConfig& c) {
    f.field("name", c.name, "Name in labels, ids and pages: letters, digits, '_', '.', '-'.");
    f.required("name");
    f.check("name", c.name.empty() || is_plain_name(c.name), "must be letters, digits, '_', '.', '-', at most 64");
    f.field("models", c.models,
            "Names under which clients ask for it. A name that several pools list is served by the first, and by the "
            "others where "
            "`routing` or a fallback leads to `pool:NAME`.");
    f.required("models");
    f.check("models", !c.models.empty(), "must name at least one model");
    f.list("replicas", c.replicas,
           "Engines that serve the pool's models, all alike; or the addresses of a `provider`.");
    f.required("replicas");
    f.check("replicas", !c.replicas.empty(), "must have at least one replica");
    check_replicas(f, c);
    f.object(
        "provider", c.provider,
        "Says that the replicas are an API of somebody else's, asked with a key of its own: no client's credentials "
        "reach it, and it is neither scraped nor, unless asked for, probed.");
    check_provider(f, c);
    f.object("health", c.health, "When a replica counts as dead, hung, or well.");
    f.object("deadlines", c.deadlines, "How long each part of a request may take.");
    f.object("continuation", c.continuation, "What happens to a stream that breaks off after its first byte.");
    f.object("retries", c.retries, "What happens to a request whose replica fails before the first byte.");
    f.object("hedge", c.hedge, "What happens to a request whose replica is slow to begin; off by default.");
    f.object("breaker", c.breaker, "When a replica whose requests fail is left alone for a while.");
    f.object("outliers", c.outliers, "When one is that does much worse than the others.");
    f.object("balance", c.balance, "Which replica gets a request.");
    f.object("admission", c.admission, "How many requests are under way at a time, and how the others wait.");
}

}  // namespace stoker::app
