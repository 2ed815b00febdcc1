// The command line of `stoker cache`.
#include <CLI/CLI.hpp>

#include "app/cli_parts.h"

namespace stoker::app {
namespace {

void add_filter(CLI::App& command, CacheCommandOptions& options) {
    command.add_option("--tenant", options.tenant, "only this tenant's")->option_text("NAME");
    command.add_option("--model", options.model, "only of this model")->option_text("NAME");
    command.add_option("--key", options.key, "only this one: the beginning of its key")->option_text("HEX");
    add_client(command, options.client);
}

}  // namespace

void add_cache(CLI::App& app, Run& run) {
    auto& cache = add_command(app, "cache", "Show which answers are kept, or forget them",
                              "  stoker cache show --model llama-8b\n  stoker cache purge --tenant acme\n");
    cache.require_subcommand(1);

    static CacheCommandOptions show_options;
    auto& show =
        add_command(cache, "show", "The answers that are kept, those given most often first", "  stoker cache show\n");
    add_filter(show, show_options);
    show.callback([&run] { run = [] { return cache_show(show_options); }; });

    static CacheCommandOptions purge_options;
    auto& purge = add_command(cache, "purge", "Forget answers: all, or those that fit",
                              "  stoker cache purge\n  stoker cache purge --tenant acme --model llama-8b\n");
    add_filter(purge, purge_options);
    purge.callback([&run] { run = [] { return cache_purge(purge_options); }; });
}

}  // namespace stoker::app
