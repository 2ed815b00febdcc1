// The subcommands, one function each, and the options that they take. The command line (cli.cc) fills the options in;
// every function returns the process's exit code: 0 done, 1 the thing asked for failed, 2 wrong usage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stoker::app {

enum class Output : std::uint8_t { Text, Json };

struct ServeOptions {
    std::string config_file;  // Empty: none; Stoker finds what is on this machine.
    // Set: these override the configuration.
    std::optional<std::string> data_dir;
    std::optional<std::string> gateway_listen;
    std::optional<std::string> console_listen;
    std::optional<std::string> log_level;
    std::optional<std::string> log_format;
    bool demo_if_empty = false;  // Without a configuration and without an engine on this machine: the demo.
};
int serve(const ServeOptions& options);

struct DemoOptions {
    ServeOptions serve;
    std::int64_t fault_every_s = 180;
};
int demo(const DemoOptions& options);

struct SimEngineOptions {
    std::string listen = "127.0.0.1:8000";
    std::string model = "sim";
    std::string profile = "tiny";
    std::string dialect = "vllm";
    std::string continuation = "vllm";
};
int sim_engine(const SimEngineOptions& options);

// Commands that ask a running Stoker.
struct ClientOptions {
    std::string server = "http://127.0.0.1:8701";
    Output output = Output::Text;
};

struct QueryOptions {
    ClientOptions client;
    std::string query;
    std::string time;   // Instant query; empty: now.
    std::string range;  // Set: a range query over this long, up to now or `time`.
    std::string step = "15s";
};
int query(const QueryOptions& options);

struct RequestsOptions {
    ClientOptions client;
    std::string last = "1h";
    std::int64_t limit = 50;
    std::string model;
    std::string outcome;
    std::string rule;
    std::string split;
    std::string shadow;
    std::string sort;
};
int requests(const RequestsOptions& options);

struct LogsOptions {
    ClientOptions client;
    std::string last = "1h";
    std::int64_t limit = 100;
    std::string service;
    std::string severity;
    std::string text;
    std::string trace_id;
    std::string signature;
    bool follow = false;
};
int logs(const LogsOptions& options);

struct LimitsOptions {
    ClientOptions client;
    std::string scope;
    std::string name;
    bool refused = false;
};
int limits(const LimitsOptions& options);

struct LedgersOptions {
    ClientOptions client;
    std::string last = "15m";
    bool waste = false;
};
int ledgers(const LedgersOptions& options);

struct CacheCommandOptions {
    ClientOptions client;
    std::string tenant;  // Which answers; empty: all.
    std::string model;
    std::string key;
};
int cache_show(const CacheCommandOptions& options);
int cache_purge(const CacheCommandOptions& options);

struct QueuesOptions {
    ClientOptions client;
};
int queues(const QueuesOptions& options);

struct EventsOptions {
    ClientOptions client;
    std::string type;
    std::string severity;
    std::int64_t limit = 50;
    bool follow = false;
};
int events(const EventsOptions& options);

struct WebhooksTestOptions {
    std::string config_file;
    std::string name;  // Empty: all.
    Output output = Output::Text;
};
int webhooks_test(const WebhooksTestOptions& options);

struct GpusOptions {
    ClientOptions client;
};
int gpus(const GpusOptions& options);

struct IncidentsOptions {
    ClientOptions client;
    std::string id;       // Set: one incident with its timeline.
    std::string approve;  // Set: the id whose plan is approved, or
    std::string reject;   // rejected.
    bool open_only = false;
    std::int64_t limit = 50;
};
int incidents(const IncidentsOptions& options);

struct RouteShowOptions {
    ClientOptions client;
};
int route_show(const RouteShowOptions& options);

struct RouteShadowOptions {
    ClientOptions client;
};
int route_shadow(const RouteShadowOptions& options);

struct RouteSwitchOptions {
    ClientOptions client;
    std::string alias;
    std::string to;      // Empty with `reset`.
    bool reset = false;  // Back to what the configuration says.
    std::string by;
    std::string reason = "by hand";
};
int route_switch(const RouteSwitchOptions& options);

struct RouteCanaryOptions {
    ClientOptions client;
    std::string canary;
    std::string action;
    std::string by;
    std::string reason = "by hand";
};
int route_canary(const RouteCanaryOptions& options);

struct RouteExplainOptions {
    ClientOptions client;
    std::string model;
    std::string path;
    std::vector<std::string> headers;  // NAME: VALUE
    std::string tenant;
    std::vector<std::string> metadata;  // NAME=VALUE
    std::string user;
    std::string time;
    std::int64_t prompt_tokens = 0;
    std::string body_file;  // The request itself; "-" is standard input.
};
int route_explain(const RouteExplainOptions& options);

// What may be said of a key; what is not given is not said.
struct KeySettings {
    std::optional<std::string> tenant;
    std::optional<std::vector<std::string>> models;
    std::vector<std::string> metadata;    // NAME=VALUE; NAME= takes one away.
    std::optional<std::string> priority;  // "tenant" takes the tenant's.
    std::optional<std::string> expires;   // A time, a duration from now, or "never".
};

struct KeysCreateOptions {
    ClientOptions client;
    std::string id;
    std::string sha256;
    KeySettings settings;
};
int keys_create(const KeysCreateOptions& options);

struct KeysListOptions {
    ClientOptions client;
    std::string tenant;
    std::string state;
    std::string prefix;
    std::int64_t limit = 1000;
};
int keys_list(const KeysListOptions& options);

// `show`, `revoke` and `delete` need no more than the key.
struct KeyOptions {
    ClientOptions client;
    std::string id;
};
int keys_show(const KeyOptions& options);
int keys_revoke(const KeyOptions& options);
int keys_delete(const KeyOptions& options);

struct KeysRotateOptions {
    ClientOptions client;
    std::string id;
    std::string overlap = "24h";
};
int keys_rotate(const KeysRotateOptions& options);

struct KeysEditOptions {
    ClientOptions client;
    std::string id;
    KeySettings settings;
};
int keys_edit(const KeysEditOptions& options);

struct BackupOptions {
    ClientOptions client;
    std::string to;  // Empty: it stays in the data folder.
};
int backup(const BackupOptions& options);

struct RestoreOptions {
    std::string from;
    std::string data_dir;  // Empty: the default one.
    bool replace = false;  // What is there is kept beside it.
    Output output = Output::Text;
};
int restore(const RestoreOptions& options);

struct RulesCheckOptions {
    std::vector<std::string> files;  // Or shell patterns.
    std::string lint = "duplicate-rules";
    bool lint_fatal = false;  // What the lint finds makes the exit code 3.
    bool experimental = false;
    Output output = Output::Text;
};
int rules_check(const RulesCheckOptions& options);

struct RulesTestOptions {
    std::vector<std::string> files;
    bool experimental = false;
    Output output = Output::Text;
};
int rules_test(const RulesTestOptions& options);

struct PromqltestOptions {
    std::vector<std::string> files;  // Or folders.
    Output output = Output::Text;
};
int promqltest(const PromqltestOptions& options);

struct ImportCommandOptions {
    std::vector<std::string> files;
    std::string config_file;  // For the data folder and the store's settings.
    std::string data_dir;
    std::string format = "auto";
    std::vector<std::string> labels;  // NAME=VALUE
    Output output = Output::Text;
};
int import(const ImportCommandOptions& options);

struct DrainOptions {
    ClientOptions client;
    std::string replica;  // Id or address.
    std::string reason;
    std::string wait;  // How long for what is under way there; empty: not at all.
};

struct DegradationCommandOptions {
    ClientOptions client;
    std::string level;    // Set: the level is pinned to it.
    std::string pool;     // Empty: all.
    std::string lasting;  // How long, such as 30m; empty: until it is released.
    std::string reason;
    bool release = false;
};
int degradation(const DegradationCommandOptions& options);

int config_check(const std::string& file, Output output);
int config_docs();
int version(Output output);

struct AgentForgetOptions {
    std::string name;
    ClientOptions client;
};
struct AgentTokenOptions {
    std::string name;  // Of a new one; the id of one to revoke.
    std::string expires = "never";
    ClientOptions client;
};
int agents_list(const ClientOptions& client);
int agents_forget(const AgentForgetOptions& options);
int agent_token_create(const AgentTokenOptions& options);
int agent_token_list(const ClientOptions& client);
int agent_token_revoke(const AgentTokenOptions& options);

}  // namespace stoker::app
