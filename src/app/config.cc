// The root of the configuration: what only the whole shows, loading, and comparing.
#include "app/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "app/config_checks.h"
#include "app/config_convert.h"
#include "app/config_engines.h"
#include "app/config_scrape.h"
#include "base/file.h"
#include "promql/engine.h"

namespace stoker::app {
namespace {

namespace fs = std::filesystem;

void check_pools(config::Fields& f, const std::vector<PoolConfig>& pools) {
    std::set<std::string> names;
    std::map<std::string, std::string> pool_that_runs;
    for (std::size_t p = 0; p < pools.size(); ++p) {
        const PoolConfig& pool = pools[p];
        f.check(fmt::format("pools[{}].name", p), names.insert(pool.name).second,
                fmt::format("another pool is named '{}' already", pool.name));
        for (std::size_t m = 0; m < pool.models.size(); ++m) {
            const std::string& model = pool.models[m];
            const std::string key = fmt::format("pools[{}].models[{}]", p, m);
            const auto earlier = pool.models.begin() + static_cast<std::ptrdiff_t>(m);
            f.check(key, std::find(pool.models.begin(), earlier, model) == earlier, "is given twice");
            f.check(key, !model.starts_with(gateway::kPoolPrefix), "must not begin as the name of a pool does");
        }
        for (std::size_t r = 0; r < pool.replicas.size(); ++r) {
            if (pool.replicas[r].run.empty()) continue;
            const auto [owner, fresh] = pool_that_runs.try_emplace(pool.replicas[r].url, pool.name);
            f.check(fmt::format("pools[{}].replicas[{}].run", p, r), fresh,
                    fmt::format("the engine at {} is run by pool '{}' already; leave `run` out here",
                                pool.replicas[r].url, owner->second));
        }
    }
}

Result<Unit> check_promql(std::string_view query) {
    return promql::Engine().check(query);
}

// The query with its variables filled in must be PromQL, or verification could never succeed.
void check_verify(config::Fields& f, const std::string& path, const heal::PolicyConfig& policy) {
    if (policy.verify.query.empty()) return;
    diagnose::Incident example;
    example.replica = "chat/127.0.0.1:9001";
    example.pool = "chat";
    const auto good = check_promql(heal::fill_in(policy.verify.query, example));
    f.check(path, good.has_value(), good ? "" : good.error().message);
}

void check_policies(config::Fields& f, const Config& c) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < c.healing.policies.size(); ++i) {
        const heal::PolicyConfig& policy = c.healing.policies[i];
        f.check(fmt::format("healing.policies[{}].name", i), names.insert(policy.name).second,
                fmt::format("another policy is named '{}' already", policy.name));
        check_verify(f, fmt::format("healing.policies[{}].verify.query", i), policy);
        for (std::size_t p = 0; p < policy.pools.size(); ++p) {
            const bool known = std::any_of(c.pools.begin(), c.pools.end(),
                                           [&](const PoolConfig& pool) { return pool.name == policy.pools[p]; });
            f.check(fmt::format("healing.policies[{}].pools[{}]", i, p), known,
                    fmt::format("there is no pool '{}'", policy.pools[p]));
        }
    }
}

// Two listeners on one port would fail only when the second binds.
void check_listeners(config::Fields& f, const Config& c) {
    const bool free_port = c.console.listen.ends_with(":0");
    f.check("console.listen", free_port || c.console.listen != c.gateway.listen, "is the gateway's address as well");
    check_public(f, c);
}

struct Section {
    std::string_view key;
    bool live;  // Taken over by a reload.
};
constexpr auto kSections = std::to_array<Section>({{"gateway", false},
                                                   {"console", false},
                                                   {"auth", true},
                                                   {"data_dir", false},
                                                   {"external_labels", false},
                                                   {"external_url", false},
                                                   {"log", true},
                                                   {"pools", true},
                                                   {"models", true},
                                                   {"routing", true},
                                                   {"limits", true},
                                                   {"cache", true},
                                                   {"batching", true},
                                                   {"degradation", true},
                                                   {"tracing", true},
                                                   {"access_log", true},
                                                   {"rules", true},
                                                   {"healing", true},
                                                   {"collect", false},
                                                   {"logs", false},
                                                   {"storage", false},
                                                   {"query", false},
                                                   {"ingest", false},
                                                   {"remote_write", false},
                                                   {"events", false},
                                                   {"export", false},
                                                   {"kafka", false},
                                                   {"federation", false},
                                                   {"api", false},
                                                   {"runtime", false}});

}  // namespace

void describe(config::Fields& f, Config& c) {
    f.object("gateway", c.gateway, "The OpenAI-compatible gateway. Changes take effect after a restart.");
    f.object("console", c.console, "The page, the APIs and Stoker's own metrics. Changes take effect after a restart.");
    f.object("auth", c.auth, "Who may use the gateway, and for what. A reload takes it over.");
    check_listeners(f, c);
    f.field(
        "data_dir", c.data_dir,
        "Folder for everything that Stoker keeps, relative to the configuration file. Empty: /var/lib/stoker for root, "
        "$XDG_DATA_HOME/stoker (~/.local/share/stoker) for others.");
    f.field("external_labels", c.external_labels,
            "Labels that tell this Stoker's series and alerts from those of others: added to what is sent on by remote "
            "write where a series has none of that name, and `$externalLabels` in rules' templates. Changes take "
            "effect after a restart.");
    f.field("external_url", c.external_url,
            "Where people reach the console: https://HOST. `externalURL` in rules' templates. Empty: where it listens. "
            "Changes take effect after a restart.");
    check_url(f, "external_url", c.external_url);
    f.object("log", c.log, "What Stoker writes to standard error. A reload takes it over.");
    f.list(
        "pools", c.pools,
        "Models and the engines that serve them. Without any, engines found on this machine are served. A reload takes "
        "changes over; requests under way finish where they are.");
    check_pools(f, c.pools);
    f.list("models", c.models,
           "What holds for one model, whatever pool serves it; only models that need it. A reload takes changes over.");
    check_models(f, c);
    f.object("routing", c.routing,
             "From the name that a client asks for to the model that serves it. A reload takes it over.");
    check_routing(f, c.routing, served_destinations(c.pools));
    f.object("limits", c.limits,
             "How much tenants, keys, models and all together may ask of the gateway (docs/gateway.md). A reload takes "
             "changes over; what is counted stays counted.");
    f.object("cache", c.cache,
             "Answers that are kept and given again, or shared between identical requests (docs/gateway.md). Off "
             "unless a rule says otherwise. A reload takes it over; without rules everything is forgotten.");
    check_cache(f, c.cache, served_models(c.pools));
    f.list(
        "batching", c.batching,
        "Requests that differ only in their texts and go to an engine as one. The first rule that fits holds; without "
        "any, each goes by itself. A reload takes it over.");
    f.object("degradation", c.degradation,
             "Serving less of each request under load, so that most are still served. A reload takes it over.");
    check_degradation(f, c);
    f.object("tracing", c.tracing, "Where traces of requests are sent. A reload takes it over.");
    f.object("access_log", c.access_log, "One line for each request. A reload takes it over.");
    f.object("rules", c.rules, "Alerting and recording rules. A reload takes them over, changed rule files too.");
    f.object(
        "healing", c.healing,
        "What may be repaired without a person, and how. A reload takes it over; a plan under way ends as it began.");
    check_policies(f, c);
    f.object(
        "collect", c.collect,
        "What is measured, and how often. A reload takes `targets`, `scrape_configs` and `scrape_config_files` over; "
        "everything else here needs a restart.");
    f.object("logs", c.logs, "Logs of engines and whatever else is followed. Changes take effect after a restart.");
    f.object("storage", c.storage, "What is kept, and for how long. Changes take effect after a restart.");
    f.object("query", c.query,
             "What one PromQL query may take, and how many run at a time. Changes take effect after a restart.");
    f.object("ingest", c.ingest,
             "What senders may push: remote write, OTLP, InfluxDB lines, JSON. Changes take effect after a restart.");
    f.check("ingest.max_body", c.ingest.max_body <= c.console.limits.max_body,
            "must not be larger than console.limits.max_body");
    f.list(
        "remote_write", c.remote_write,
        "Receivers that everything ingested is sent on to, by Prometheus' remote write. What a receiver does not take "
        "waits on disk. Changes take effect after a restart.");
    check_remote_write(f, c.remote_write);
    f.object("events", c.events,
             "What happens (docs/events.md), kept in a log and told to others. Changes take effect after a restart.");
    f.object("export", c.exported,
             "Who gets everything that is ingested, beside `remote_write`. Changes take effect after a restart.");
    f.object("kafka", c.kafka, "Kafka, through librdkafka (docs/kafka.md). Changes take effect after a restart.");
    f.object("federation", c.federation,
             "Other Stokers seen together with this one (docs/federation.md). Changes take effect after a restart.");
    f.object("api", c.api, "Who may do what through the console's APIs. Changes take effect after a restart.");
    f.object("runtime", c.runtime, "Threads and stopping. Changes take effect after a restart.");
}

LoadedConfig read_config(std::string_view text, const std::string& path, const config::Environment& environment) {
    LoadedConfig loaded;
    loaded.config.folder = fs::path(path).parent_path();
    loaded.problems = config::read_yaml(
        text, path, [&](config::Fields& f) { describe(f, loaded.config); }, environment);
    if (!loaded.ok()) return loaded;
    const auto check_rule = [engine = promql::Engine(engine_options(loaded.config))](std::string_view expr) {
        return engine.check(expr);
    };
    loaded.rules = alert::read_rule_files(loaded.config.rules.files, loaded.config.folder, check_rule);
    loaded.problems = loaded.rules.problems;
    const auto scraping = load_scrape_jobs(loaded.config, path);
    loaded.problems.insert(loaded.problems.end(), scraping.begin(), scraping.end());
    read_adapters(loaded);
    read_xid_table(loaded);
    return loaded;
}

LoadedConfig load_config(const std::string& path, const config::Environment& environment) {
    const auto text = read_file(path);
    if (text) return read_config(*text, path, environment);
    LoadedConfig failed;
    failed.problems.push_back({.file = path, .line = 0, .column = 0, .key = "", .message = text.error().message});
    return failed;
}

Config default_config() {
    return {};
}

Result<std::string> data_folder(const Config& config, const config::Environment& environment) {
    if (!config.data_dir.empty()) return (fs::path(config.folder) / config.data_dir).string();
    if (::geteuid() == 0) return std::string("/var/lib/stoker");
    const auto data_home = environment("XDG_DATA_HOME");
    if (data_home && !data_home->empty()) return *data_home + "/stoker";
    const auto home = environment("HOME");
    if (home && !home->empty()) return *home + "/.local/share/stoker";
    return Error{Errc::NotFound, "no folder for data: neither data_dir nor $XDG_DATA_HOME nor $HOME is set"};
}

std::vector<std::string> changed_sections(const Config& before, const Config& after) {
    const auto values = [](Config config) { return config::flatten([&](config::Fields& f) { describe(f, config); }); };
    const auto of_section = [](const auto& all, std::string_view section) {
        std::vector<std::pair<std::string, std::string>> mine;
        for (const auto& entry : all) {
            if (entry.first.substr(0, entry.first.find_first_of(".[")) == section) mine.push_back(entry);
        }
        return mine;
    };
    const auto old_values = values(before);
    const auto new_values = values(after);
    std::vector<std::string> changed;
    for (const Section& section : kSections) {
        if (of_section(old_values, section.key) != of_section(new_values, section.key))
            changed.emplace_back(section.key);
    }
    return changed;
}

std::vector<std::string> restart_needed(const std::vector<std::string>& changed) {
    std::vector<std::string> needed;
    for (const Section& section : kSections) {
        const bool is_changed = std::find(changed.begin(), changed.end(), section.key) != changed.end();
        if (is_changed && !section.live) needed.emplace_back(section.key);
    }
    return needed;
}

}  // namespace stoker::app
