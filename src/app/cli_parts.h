// What the files of the command line share.
#pragma once

#include <functional>

#include "app/commands.h"

namespace CLI {
class App;
}

namespace stoker::app {

using Run = std::function<int()>;

// Adds --output, with which every command that prints something can be read by a program.
void add_output(CLI::App& command, Output& output);
// Adds --server and --output.
void add_client(CLI::App& command, ClientOptions& client);
// One subcommand: its name, what it does, and examples for its help.
CLI::App& add_command(CLI::App& app, const char* name, const char* what, const char* examples);

// The groups of commands that have a file of their own. `run` is what the command given will do.
void add_route(CLI::App& app, Run& run);
void add_keys(CLI::App& app, Run& run);
void add_cache(CLI::App& app, Run& run);
void add_drain(CLI::App& app, Run& run);
void add_engines(CLI::App& app, Run& run);
void add_events(CLI::App& app, Run& run);
void add_replicas(CLI::App& app, Run& run);
void add_scrape(CLI::App& app, Run& run);
void add_agent(CLI::App& app, Run& run);
void add_traces(CLI::App& app, Run& run);
void add_gpus(CLI::App& app, Run& run);
void add_logs(CLI::App& app, Run& run);

}  // namespace stoker::app
