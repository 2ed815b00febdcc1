// The command line of `stoker scrape`.
#include <CLI/CLI.hpp>

#include "app/cli_parts.h"
#include "app/scrape_command.h"

namespace stoker::app {

void add_scrape(CLI::App& app, Run& run) {
    auto& scrape = add_command(app, "scrape", "Check scrape configurations of Prometheus",
                               "  stoker scrape check /etc/prometheus/prometheus.yml\n");
    scrape.require_subcommand(1);
    static ScrapeCheckOptions options;
    auto& check = add_command(scrape, "check", "Say what Stoker makes of a prometheus.yml; exit 1 if anything is wrong",
                              "  stoker scrape check /etc/prometheus/prometheus.yml\n"
                              "  stoker scrape check --targets prometheus.yml   the targets it names, relabelled\n"
                              "  stoker scrape check --json 'conf.d/*.yml'\n");
    check.add_option("files", options.files, "configurations of Prometheus, or patterns")
        ->required()
        ->option_text("FILE");
    check.add_flag("--targets", options.targets, "list the targets that are written in it or in files it names");
    add_output(check, options.output);
    check.add_flag_callback(
        "--json", [] { options.output = Output::Json; }, "the same as --output json");
    check.callback([&run] { run = [] { return scrape_check(options); }; });
}

}  // namespace stoker::app
