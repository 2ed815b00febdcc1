// The command line of `stoker engines`.
#include <CLI/CLI.hpp>

#include "app/ask.h"
#include "app/cli_parts.h"
#include "app/engines_command.h"

namespace stoker::app {
namespace {

void add_adapters(CLI::App& command, std::vector<std::string>& files) {
    command.add_option("--adapter", files, "an adapter file over the built-in ones; may be given several times")
        ->option_text("FILE");
}

void add_json(CLI::App& command, Output& output) {
    add_output(command, output);
    command.add_flag_callback(
        "--json", [&output] { output = Output::Json; }, "the same as --output json");
}

}  // namespace

void add_engines(CLI::App& app, Run& run) {
    auto& engines = add_command(app, "engines", "What Stoker knows of inference engines",
                                "  stoker engines list\n  stoker engines check http://127.0.0.1:8000\n");
    engines.require_subcommand(1);

    static EnginesOptions list_options;
    auto& list = add_command(engines, "list", "The engines known by name, and how they are read",
                             "  stoker engines list\n  stoker engines list --adapter my-engine.yaml --json\n");
    add_adapters(list, list_options.adapters);
    add_json(list, list_options.output);
    list.callback([&run] { run = [] { return engines_list(list_options); }; });

    static EnginesCheckOptions check_options;
    static std::string interval = "1s";
    auto& check = add_command(engines, "check",
                              "What an engine is, which of its numbers Stoker understands, and what looks wrong with "
                              "them; exit 1 if anything does",
                              "  stoker engines check http://127.0.0.1:8000\n"
                              "  stoker engines check http://127.0.0.1:8000 --ask       send it a request, and see "
                              "whether it counts it\n"
                              "  stoker engines check http://127.0.0.1:9000/stats --json\n");
    check.add_option("url", check_options.url, "the engine, or the page of its metrics")
        ->required()
        ->option_text("URL");
    check.add_flag("--ask", check_options.ask, "ask it for 16 tokens, and compare its counters with its answer");
    check.add_option("--looks", check_options.looks, "how often to look at its metrics")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000))
        ->option_text("N");
    check.add_option("--interval", interval, "time between two looks")->capture_default_str()->option_text("DURATION");
    check.add_option("--token", check_options.token, "bearer token to send")->option_text("TOKEN");
    add_adapters(check, check_options.adapters);
    add_json(check, check_options.output);
    check.callback([&run] {
        run = [] {
            const auto parsed = parse_duration(interval);
            if (!parsed) return fail(Error(parsed.error()).context("--interval"));
            check_options.interval = *parsed;
            return engines_check(check_options);
        };
    });

    static EnginesOptions docs_options;
    auto& docs = add_command(engines, "docs", "Print what the canonical metrics mean and are made of, as Markdown",
                             "  stoker engines docs > docs/engines.md\n");
    add_adapters(docs, docs_options.adapters);
    docs.callback([&run] { run = [] { return engines_docs(docs_options); }; });
}

}  // namespace stoker::app
