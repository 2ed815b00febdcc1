#include "app/cli_parts.h"

#include <CLI/CLI.hpp>
#include <map>

namespace stoker::app {

void add_output(CLI::App& command, Output& output) {
    static const std::map<std::string, Output> names = {{"text", Output::Text}, {"json", Output::Json}};
    command.add_option("--output,-o", output, "text for people, json for programs")
        ->transform(CLI::CheckedTransformer(names, CLI::ignore_case))
        ->option_text("text|json");
}

void add_client(CLI::App& command, ClientOptions& client) {
    command.add_option("--server", client.server, "console of the Stoker to ask")
        ->capture_default_str()
        ->option_text("URL");
    add_output(command, client.output);
}

CLI::App& add_command(CLI::App& app, const char* name, const char* what, const char* examples) {
    auto* command = app.add_subcommand(name, what);
    command->footer(std::string("Examples:\n") + examples);
    return *command;
}

}  // namespace stoker::app
