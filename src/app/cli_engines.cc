// The command line of `stoker engines`.
#include <CLI/CLI.hpp>

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
                                "  stoker engines list\n  stoker engines docs > docs/engines.md\n");
    engines.require_subcommand(1);

    static EnginesOptions list_options;
    auto& list = add_command(engines, "list", "The engines known by name, and how they are read",
                             "  stoker engines list\n  stoker engines list --adapter my-engine.yaml --json\n");
    add_adapters(list, list_options.adapters);
    add_json(list, list_options.output);
    list.callback([&run] { run = [] { return engines_list(list_options); }; });

    static EnginesOptions docs_options;
    auto& docs = add_command(engines, "docs", "Print what the canonical metrics mean and are made of, as Markdown",
                             "  stoker engines docs > docs/engines.md\n");
    add_adapters(docs, docs_options.adapters);
    docs.callback([&run] { run = [] { return engines_docs(docs_options); }; });
}

}  // namespace stoker::app
