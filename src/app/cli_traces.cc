// The command line of `stoker traces`.
#include <CLI/CLI.hpp>

#include "app/cli_parts.h"
#include "app/traces_command.h"

namespace stoker::app {

void add_traces(CLI::App& app, Run& run) {
    static TracesOptions options;
    auto& command = add_command(app, "traces", "Search the traces of applications, engines and the gateway",
                                "  stoker traces --last 15m --errors\n"
                                "  stoker traces --service app --min-duration 2s --tag http.route=/chat\n"
                                "  stoker traces 4bf92f3577b34da6a3ce929d0e0e4736       one trace as a tree\n"
                                "  stoker traces --model tiny --json\n");
    command.add_option("id", options.trace_id, "one trace, by its id")->option_text("ID");
    command.add_option("--last", options.last, "how far back")->capture_default_str()->option_text("DURATION");
    command.add_option("--service", options.service, "with a span of this service")->option_text("NAME");
    command.add_option("--name", options.name, "with a span of this name")->option_text("NAME");
    command.add_option("--model", options.model, "with a generation of this model")->option_text("NAME");
    command.add_option("--text", options.text, "with this in a span's name or attributes")->option_text("TEXT");
    command.add_option("--tag", options.tags, "with a span with this attribute; may be repeated")
        ->option_text("KEY=VALUE");
    command.add_option("--min-duration", options.min_duration, "with a span at least this long")
        ->option_text("DURATION");
    command.add_flag("--errors", options.errors, "with a span that failed");
    command.add_option("--limit", options.limit, "at most so many")
        ->capture_default_str()
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'500}))
        ->option_text("N");
    add_client(command, options.client);
    command.add_flag_callback(
        "--json", [] { options.client.output = Output::Json; }, "the same as --output json");
    command.callback([&run] { run = [] { return traces(options); }; });
}

}  // namespace stoker::app
