// The command line of `stoker logs`.
#include <CLI/CLI.hpp>

#include "app/cli_parts.h"

namespace stoker::app {

void add_logs(CLI::App& app, Run& run) {
    static LogsOptions options;
    auto& command = add_command(app, "logs", "Search the logs that were collected, or follow them",
                                "  stoker logs --severity error --last 15m\n"
                                "  stoker logs 'out of memory' --service vllm\n"
                                "  stoker logs --signature any             failures that were recognised\n"
                                "  stoker logs --trace 0af7651916cd43dd8448eb211c80319c\n"
                                "  stoker logs --follow --json\n");
    command.add_option("text", options.text, "only lines with this text, in any case")->option_text("TEXT");
    command.add_option("--last", options.last, "how far back")->capture_default_str()->option_text("DURATION");
    command.add_option("--limit", options.limit, "at most so many, the newest")
        ->capture_default_str()
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{5000}))
        ->option_text("N");
    command.add_option("--service", options.service, "only this service's")->option_text("NAME");
    command.add_option("--severity", options.severity, "this severe, or more")
        ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "fatal"}))
        ->option_text("trace|debug|info|warn|error|fatal");
    command.add_option("--trace", options.trace_id, "only of this trace, whenever it was")->option_text("ID");
    command.add_option("--signature", options.signature, "only with this failure signature, or any")
        ->option_text("NAME|any");
    command.add_flag("-f,--follow", options.follow, "goes on with what comes, until it is interrupted");
    add_client(command, options.client);
    command.add_flag_callback(
        "--json", [] { options.client.output = Output::Json; }, "the same as --output json: one line of JSON each");
    command.callback([&run] { run = [] { return logs(options); }; });
}

}  // namespace stoker::app
