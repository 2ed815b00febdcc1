#include "app/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/cli_parts.h"
#include "app/commands.h"
#include "base/text.h"

namespace stoker::app {
namespace {

void add_serve(CLI::App& command, ServeOptions& options) {
    command
        .add_option("--data-dir", options.data_dir,
                    "where Stoker keeps its data (default: $XDG_DATA_HOME/stoker, /var/lib/stoker for root)")
        ->option_text("DIR");
    command.add_option("--gateway-listen", options.gateway_listen, "address of the gateway; port 0 takes a free one")
        ->option_text("HOST:PORT");
    command
        .add_option("--console-listen", options.console_listen,
                    "address of the console and the APIs; port 0 takes a free one")
        ->option_text("HOST:PORT");
    command.add_option("--log-level", options.log_level, "debug, info, warn or error")->option_text("LEVEL");
    command.add_option("--log-format", options.log_format, "text or json")->option_text("FORMAT");
}

void add_serving(CLI::App& app, Run& run) {
    static ServeOptions serve_options;
    auto& serve_command =
        add_command(app, "serve", "Run Stoker: gateway, metrics, detection, healing and the page",
                    "  stoker serve                            find the engines on this machine and serve them\n"
                    "  stoker serve --config stoker.yaml\n"
                    "  stoker serve --gateway-listen 127.0.0.1:0 --data-dir /tmp/stoker\n"
                    "Signals: TERM and INT stop gracefully, HUP reloads the configuration.\n");
    serve_command.add_option("--config,-c", serve_options.config_file, "configuration (docs/configuration.md)")
        ->option_text("FILE");
    serve_command.add_flag("--demo-if-empty", serve_options.demo_if_empty,
                           "without --config and without an engine on this machine, run the demo instead");
    add_serve(serve_command, serve_options);
    serve_command.callback([&run] { run = [] { return serve(serve_options); }; });

    static DemoOptions demo_options;
    auto& demo_command =
        add_command(app, "demo", "Three simulated engines, light traffic, and a fault every few minutes",
                    "  stoker demo\n  stoker demo --fault-every 60\n");
    add_serve(demo_command, demo_options.serve);
    demo_command.add_option("--fault-every", demo_options.fault_every_s, "seconds between two faults; 0 for none")
        ->capture_default_str()
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{86'400}))
        ->option_text("SECONDS");
    demo_command.callback([&run] { run = [] { return demo(demo_options); }; });

    static SimEngineOptions sim_options;
    auto& sim_command =
        add_command(app, "sim-engine", "A simulated inference engine with faults on command",
                    "  stoker sim-engine --listen 127.0.0.1:9001 --model sim --profile h100-8b\n"
                    "  curl -d '{\"kind\":\"hang\"}' 127.0.0.1:9001/sim/faults      (docs/sim-engine.md)\n");
    sim_command.add_option("--listen", sim_options.listen, "address; port 0 takes a free one")
        ->capture_default_str()
        ->option_text("HOST:PORT");
    sim_command.add_option("--model", sim_options.model, "name of the model it serves")
        ->capture_default_str()
        ->option_text("NAME");
    sim_command.add_option("--profile", sim_options.profile, "how fast it is")
        ->capture_default_str()
        ->option_text("NAME");
    sim_command.add_option("--dialect", sim_options.dialect, "whose metrics and endpoints it speaks")
        ->capture_default_str()
        ->option_text("vllm|sglang|tgi|...");
    sim_command
        .add_option("--continuation", sim_options.continuation, "whose way it has with a last message of the assistant")
        ->capture_default_str()
        ->option_text("vllm|llama.cpp");
    sim_command.callback([&run] { run = [] { return sim_engine(sim_options); }; });
}

void add_asking(CLI::App& app, Run& run) {
    static QueryOptions query_options;
    auto& query_command =
        add_command(app, "query", "Ask the metrics store in PromQL",
                    "  stoker query 'sum by (model,type) (llm_tokens_total)'\n"
                    "  stoker query 'rate(llm_requests_total[5m])' --range 1h --step 15s --output json\n");
    query_command.add_option("promql", query_options.query, "the query")->required()->option_text("PROMQL");
    auto* time =
        query_command.add_option("--time", query_options.time, "when: RFC 3339 or seconds since 1970 (default: now)")
            ->option_text("T");
    auto* range = query_command.add_option("--range", query_options.range, "a range query over this long, such as 1h")
                      ->option_text("DURATION");
    query_command.add_option("--step", query_options.step, "resolution of a range query")
        ->capture_default_str()
        ->needs(range)
        ->option_text("DURATION");
    static_cast<void>(time);
    add_client(query_command, query_options.client);
    query_command.callback([&run] { run = [] { return query(query_options); }; });

    static RequestsOptions request_options;
    auto& request_command = add_command(app, "requests", "List requests that the gateway carried",
                                        "  stoker requests --last 5m\n"
                                        "  stoker requests --outcome truncated --sort -duration --output json\n");
    request_command.add_option("--last", request_options.last, "how far back")
        ->capture_default_str()
        ->option_text("DURATION");
    request_command.add_option("--limit", request_options.limit, "at most so many")
        ->capture_default_str()
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{10'000}))
        ->option_text("N");
    request_command.add_option("--model", request_options.model, "only this model")->option_text("NAME");
    request_command
        .add_option("--outcome", request_options.outcome, "only this outcome: ok, upstream_error, truncated, ...")
        ->option_text("NAME");
    request_command.add_option("--rule", request_options.rule, "those that this rule of the routing led")
        ->option_text("NAME");
    request_command.add_option("--split", request_options.split, "those that this split or canary drew an arm for")
        ->option_text("NAME");
    request_command.add_option("--shadow", request_options.shadow, "the copies of this shadow, which no client saw")
        ->option_text("NAME");
    request_command
        .add_option("--sort", request_options.sort,
                    "time, duration, ttft, completion_tokens; - before it for descending")
        ->option_text("KEY");
    add_client(request_command, request_options.client);
    request_command.callback([&run] { run = [] { return requests(request_options); }; });

    static LimitsOptions limit_options;
    auto& limit_command = add_command(app, "limits", "What each tenant, key and model has used of its limits",
                                      "  stoker limits\n  stoker limits --scope tenant --name acme\n"
                                      "  stoker limits --refused                 the ledger behind the last 429s\n");
    limit_command.add_option("--scope", limit_options.scope, "only these")
        ->check(CLI::IsMember({"global", "tenant", "key", "model"}))
        ->option_text("global|tenant|key|model");
    limit_command.add_option("--name", limit_options.name, "only this tenant, key id or model")->option_text("NAME");
    limit_command.add_flag("--refused", limit_options.refused, "the requests refused last, and why");
    add_client(limit_command, limit_options.client);
    limit_command.callback([&run] { run = [] { return limits(limit_options); }; });

    static LedgersOptions ledger_options;
    auto& ledger_command =
        add_command(app, "ledgers", "Tokens as the gateway, the answers and the engines counted them, side by side",
                    "  stoker ledgers\n  stoker ledgers --last 24h\n"
                    "  stoker ledgers --waste                  what engines computed for nothing\n");
    ledger_command.add_option("--last", ledger_options.last, "over this time")
        ->capture_default_str()
        ->option_text("TIME");
    ledger_command.add_flag("--waste", ledger_options.waste, "tokens that were computed in vain, by reason");
    add_client(ledger_command, ledger_options.client);
    ledger_command.callback([&run] { run = [] { return ledgers(ledger_options); }; });

    static QueuesOptions queue_options;
    auto& queue_command = add_command(app, "queues", "Who waits for a place in which pool, and what its limit goes by",
                                      "  stoker queues\n  stoker queues --output json\n");
    add_client(queue_command, queue_options.client);
    queue_command.callback([&run] { run = [] { return queues(queue_options); }; });

    static IncidentsOptions incident_options;
    auto& incident_command = add_command(app, "incidents", "List incidents, show one, approve or reject a plan",
                                         "  stoker incidents\n  stoker incidents inc_018f3c2a\n"
                                         "  stoker incidents --approve inc_018f3c2a\n");
    incident_command.add_option("id", incident_options.id, "show this one with its timeline")->option_text("ID");
    incident_command.add_flag("--open", incident_options.open_only, "only those that are not over");
    incident_command.add_option("--limit", incident_options.limit, "at most so many")
        ->capture_default_str()
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000}))
        ->option_text("N");
    auto* approve =
        incident_command.add_option("--approve", incident_options.approve, "let its plan run")->option_text("ID");
    incident_command.add_option("--reject", incident_options.reject, "refuse its plan")
        ->excludes(approve)
        ->option_text("ID");
    add_client(incident_command, incident_options.client);
    incident_command.callback([&run] { run = [] { return incidents(incident_options); }; });
}

void add_degradation(CLI::App& app, Run& run) {
    static DegradationCommandOptions options;
    auto& command = add_command(app, "degradation", "Show how far service is cut back, or set it by hand",
                                "  stoker degradation\n"
                                "  stoker degradation --pin heavy --pool chat --for 30m --reason 'load test'\n"
                                "  stoker degradation --pin normal          conditions do nothing until --release\n"
                                "  stoker degradation --release --pool chat\n");
    auto* pin =
        command.add_option("--pin", options.level, "the level from now on: normal, light, medium, ... or 0 to 4")
            ->option_text("LEVEL");
    command.add_option("--pool", options.pool, "of this pool only")->option_text("NAME");
    command.add_option("--for", options.lasting, "then the pin ends by itself")->needs(pin)->option_text("DURATION");
    command.add_option("--reason", options.reason, "shown to whoever asks why")->needs(pin)->option_text("TEXT");
    command.add_flag("--release", options.release, "takes a pin back")->excludes(pin);
    add_client(command, options.client);
    command.callback([&run] { run = [] { return degradation(options); }; });
}

void add_data(CLI::App& app, Run& run) {
    static BackupOptions backup_options;
    auto& backup_command =
        add_command(app, "backup", "Back up a running Stoker: metrics, requests, journal, events and state",
                    "  stoker backup                          into the data folder's backups/\n"
                    "  stoker backup --to /mnt/backup/monday\n");
    backup_command.add_option("--to", backup_options.to, "copy it to this folder, which must not exist")
        ->option_text("DIR");
    add_client(backup_command, backup_options.client);
    backup_command.callback([&run] { run = [] { return backup(backup_options); }; });

    static PromqltestOptions script_options;
    auto& script_command = add_command(app, "promqltest", "Run scripts in Prometheus' promqltest language",
                                       "  stoker promqltest src/promql/testdata\n"
                                       "  stoker promqltest --output json aggregators.test functions.test\n");
    script_command.add_option("files", script_options.files, "scripts, or folders with *.test files")
        ->required()
        ->option_text("FILE...");
    add_output(script_command, script_options.output);
    script_command.callback([&run] { run = [] { return promqltest(script_options); }; });

    static ImportCommandOptions import_options;
    auto& import_command = add_command(
        app, "import", "Bring history into the data folder of a Stoker that does not run",
        "  stoker import history.txt --data-dir /srv/stoker\n"
        "  stoker import --label cluster=eu dump.om.gz\n"
        "  promtool tsdb dump-openmetrics data/ | gzip > old.gz && stoker import old.gz --output json\n"
        "Files are Prometheus text or OpenMetrics with timestamps, plain, gzip or zstd. Exits with 1 if\n"
        "anything was refused: samples older than the retention, lines that are none, values that differ.\n");
    import_command.add_option("files", import_options.files, "what to import")->required()->option_text("FILE...");
    import_command.add_option("--config,-c", import_options.config_file, "configuration, for the store's settings")
        ->option_text("FILE");
    import_command
        .add_option("--data-dir", import_options.data_dir,
                    "the data folder (default: $XDG_DATA_HOME/stoker, /var/lib/stoker for root)")
        ->option_text("DIR");
    import_command.add_option("--format", import_options.format, "auto tells by the first timestamp")
        ->check(CLI::IsMember({"auto", "prometheus", "openmetrics"}))
        ->capture_default_str()
        ->option_text("FORMAT");
    import_command.add_option("--label", import_options.labels, "a label for series that have none of that name")
        ->option_text("NAME=VALUE");
    add_output(import_command, import_options.output);
    import_command.callback([&run] { run = [] { return import(import_options); }; });

    static RestoreOptions restore_options;
    auto& restore_command =
        add_command(app, "restore", "Make a data folder from a backup, once every file of it was checked",
                    "  stoker restore /mnt/backup/monday --data-dir /srv/stoker\n"
                    "  stoker restore /mnt/backup/monday --replace\n");
    restore_command.add_option("backup", restore_options.from, "the backup's folder")->required()->option_text("DIR");
    restore_command
        .add_option("--data-dir", restore_options.data_dir,
                    "the data folder to make (default: $XDG_DATA_HOME/stoker, /var/lib/stoker for root)")
        ->option_text("DIR");
    restore_command.add_flag("--replace", restore_options.replace,
                             "put it in the place of data that is there, which is "
                             "kept beside it");
    add_output(restore_command, restore_options.output);
    restore_command.callback([&run] { run = [] { return restore(restore_options); }; });
}

void add_rules(CLI::App& app, Run& run) {
    auto& rules = add_command(app, "rules", "Check rule files, or run their unit tests",
                              "  stoker rules check 'rules/*.yaml'\n  stoker rules test rules/tests.yaml\n");
    rules.require_subcommand(1);
    static RulesCheckOptions check_options;
    auto& check = add_command(rules, "check", "Say what is wrong with rule files; exit 1 if anything is",
                              "  stoker rules check 'rules/*.yaml'\n"
                              "  stoker rules check --lint-fatal --json alerts.yaml\n");
    check.add_option("files", check_options.files, "Prometheus rule files, or patterns")
        ->required()
        ->option_text("FILE");
    check.add_option("--lint", check_options.lint, "what else to look for: all, duplicate-rules or none")
        ->capture_default_str()
        ->check(CLI::IsMember({"all", "duplicate-rules", "none"}))
        ->option_text("WHAT");
    check.add_flag("--lint-fatal", check_options.lint_fatal, "exit 3 for what the lint finds");
    check.add_flag("--experimental", check_options.experimental, "allow PromQL's experimental features");
    add_output(check, check_options.output);
    check.add_flag_callback(
        "--json", [] { check_options.output = Output::Json; }, "the same as --output json");
    check.callback([&run] { run = [] { return rules_check(check_options); }; });

    static RulesTestOptions test_options;
    auto& test = add_command(rules, "test", "Run unit tests of rules, in the format of promtool test rules",
                             "  stoker rules test rules/tests.yaml\n");
    test.add_option("files", test_options.files, "files of tests")->required()->option_text("FILE");
    test.add_flag("--experimental", test_options.experimental, "allow PromQL's experimental features");
    add_output(test, test_options.output);
    test.add_flag_callback(
        "--json", [] { test_options.output = Output::Json; }, "the same as --output json");
    test.callback([&run] { run = [] { return rules_test(test_options); }; });
}

void add_config(CLI::App& app, Run& run) {
    auto& config = add_command(app, "config", "Check a configuration, or print what every key means",
                               "  stoker config check stoker.yaml\n  stoker config docs\n");
    config.require_subcommand(1);
    static std::string file;
    static Output output = Output::Text;
    auto& check = add_command(config, "check", "Say what is wrong with a file; exit 1 if anything is",
                              "  stoker config check stoker.yaml\n");
    check.add_option("file", file, "the configuration")->required()->option_text("FILE");
    add_output(check, output);
    check.callback([&run] { run = [] { return config_check(file, output); }; });
    add_command(config, "docs", "Print the documentation of every key as Markdown",
                "  stoker config docs > docs/configuration.md\n")
        .callback([&run] { run = [] { return config_docs(); }; });

    auto& version_command = add_command(app, "version", "Print the version", "  stoker version --output json\n");
    add_output(version_command, output);
    version_command.callback([&run] { run = [] { return version(output); }; });
}

// What is wrong with the command named in `argv`; empty: nothing.
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
    const CLI::App* group = &app;
    std::string path = "stoker";
    for (int i = 1; i < argc && argv[i][0] != '-' && group->get_require_subcommand_min() > 0; ++i) {
        const CLI::App* found = nullptr;
        std::vector<std::string> names;
        for (const CLI::App* command : group->get_subcommands([](const CLI::App*) { return true; })) {
            names.push_back(command->get_name());
            if (names.back() == argv[i]) found = command;
        }
        if (found == nullptr) {
            const auto near = nearest_name(argv[i], names);
            return fmt::format("{}: there is no command '{}'{}\n`{} --help` lists them.\n", path, argv[i],
                               near ? fmt::format("; did you mean '{}'?", *near) : "", path);
        }
        path += std::string(" ") + argv[i];
        group = found;
    }
    return {};
}

}  // namespace

int run_cli(int argc, char** argv) {
    CLI::App app("Stoker runs large-language-model services: gateway, metrics, detection, healing.", "stoker");
    app.footer(
        "`stoker COMMAND --help` has examples. Exit codes: 0 done, 1 the thing asked for failed, 2 wrong usage.");
    app.set_version_flag("--version", "stoker " STOKER_VERSION);
    app.require_subcommand(1);
    Run run;
    add_serving(app, run);
    add_asking(app, run);
    add_degradation(app, run);
    add_data(app, run);
    add_route(app, run);
    add_keys(app, run);
    add_cache(app, run);
    add_traces(app, run);
    add_replicas(app, run);
    add_gpus(app, run);
    add_logs(app, run);
    add_drain(app, run);
    add_engines(app, run);
    add_events(app, run);
    add_rules(app, run);
    add_scrape(app, run);
    add_config(app, run);
    add_agent(app, run);
    if (const std::string wrong = unknown_command(app, argc, argv); !wrong.empty()) {
        std::fputs(wrong.c_str(), stderr);
        return 2;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? 0 : 2;
    }
    try {
        return run ? run() : 2;
    } catch (const nlohmann::json::exception& problem) {
        return fail({Errc::Internal, std::string("the server's answer is not what this version of `stoker` expects: ") +
                                         problem.what()});
    }
}

}  // namespace stoker::app
