// The command line of `stoker events` and `stoker webhooks`.
#include <CLI/CLI.hpp>

#include "app/cli_parts.h"

namespace stoker::app {

void add_events(CLI::App& app, Run& run) {
    static EventsOptions options;
    auto& command = add_command(app, "events", "What happened: incidents, repairs, alerts, changes of routes",
                                "  stoker events --severity warning\n"
                                "  stoker events --type 'incident.*' --follow\n");
    command.add_option("--type", options.type, "only this type, `incident.*` for all of a kind")->option_text("TYPE");
    command.add_option("--severity", options.severity, "the least: info, warning or critical")->option_text("NAME");
    command.add_option("--limit", options.limit, "at most so many")
        ->capture_default_str()
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000}))
        ->option_text("N");
    command.add_flag("--follow,-f", options.follow, "go on with those that come, one line each");
    add_client(command, options.client);
    command.callback([&run] { run = [] { return events(options); }; });

    auto& webhooks =
        add_command(app, "webhooks", "Try out who is told of events", "  stoker webhooks test --config stoker.yaml\n");
    webhooks.require_subcommand(1);
    static WebhooksTestOptions test_options;
    auto& test = add_command(webhooks, "test", "Send a test event to the webhooks of a configuration",
                             "  stoker webhooks test --config stoker.yaml\n"
                             "  stoker webhooks test --config stoker.yaml chat\n");
    test.add_option("--config,-c", test_options.config_file, "the configuration that has them")
        ->required()
        ->option_text("FILE");
    test.add_option("name", test_options.name, "only this one")->option_text("NAME");
    add_output(test, test_options.output);
    test.callback([&run] { run = [] { return webhooks_test(test_options); }; });
}

}  // namespace stoker::app
