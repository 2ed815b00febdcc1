#include "agent/command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>

#include "agent/agent.h"
#include "agent/own_use.h"
#include "agent/status.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace stoker::agent {
namespace {

constexpr const char* kDefaultFile = "/etc/stoker/agent.yaml";

struct Options {
    std::string file = kDefaultFile;
    bool json = false;
};

int fail(const std::string& message) {
    std::fprintf(stderr, "stoker agent: %s\n", message.c_str());
    return 1;
}

bool has_problems(const Loaded& loaded) {
    for (const std::string& problem : loaded.problems) std::fprintf(stderr, "%s\n", problem.c_str());
    return !loaded.problems.empty();
}

int run_agent(const Options& options) {
    auto loaded = load_config(options.file, config::process_environment());
    if (has_problems(loaded)) return 1;
    const LogConfig& log = loaded.config.log;
    const log::Level level = log.level == "debug"   ? log::Level::Debug
                             : log.level == "warn"  ? log::Level::Warn
                             : log.level == "error" ? log::Level::Error
                                                    : log::Level::Info;
    log::configure(level, log.format == "json" ? log::Format::Json : log::Format::Text);
    live_small(static_cast<int>(loaded.config.limits.nice));
    auto agent = Agent::create(std::move(loaded.config));
    if (!agent) return fail(agent.error().message);
    log::info("the agent runs", {{"version", STOKER_VERSION}, {"config", options.file}});
    constexpr int kTooMuchMemory = 3;
    return (*agent)->run() == Ended::TooMuchMemory ? kTooMuchMemory : 0;
}

int check(const Options& options) {
    const auto loaded = load_config(options.file, config::process_environment());
    if (options.json) {
        std::string list;
        for (const auto& problem : loaded.problems) list += (list.empty() ? "" : ",") + quote_json(problem);
        std::printf("{\"problems\":[%s]}\n", list.c_str());
        return loaded.problems.empty() ? 0 : 1;
    }
    if (has_problems(loaded)) return 1;
    std::printf("%s is good\n", options.file.c_str());
    return 0;
}

int status(const Options& options) {
    const auto loaded = load_config(options.file, config::process_environment());
    if (has_problems(loaded)) return 1;
    const auto text = read_file(status_file(loaded.config));
    if (!text) return fail("no agent has run with this configuration: " + text.error().message);
    if (options.json) {
        std::fputs(text->c_str(), stdout);
        return 0;
    }
    const auto shown = status_text(*text, now());
    if (!shown) return fail(shown.error().message);
    std::fputs(shown->c_str(), stdout);
    return 0;
}

}  // namespace

int run_command(int argc, char** argv) {
    CLI::App app("The node agent: this machine's metrics, buffered on disk, sent by remote write", "stoker agent");
    app.require_subcommand(1);
    app.footer("Examples:\n  stoker agent run --config /etc/stoker/agent.yaml\n  stoker agent status\n");
    Options options;
    std::function<int()> chosen;
    const auto add = [&](const char* name, const char* what, const char* examples, int (*work)(const Options&)) {
        CLI::App* command = app.add_subcommand(name, what);
        command->footer(std::string("Examples:\n") + examples);
        command->add_option("--config,-c,config", options.file, "configuration (docs/agent-configuration.md)")
            ->capture_default_str()
            ->option_text("FILE");
        command->callback([&chosen, &options, work] { chosen = [&options, work] { return work(options); }; });
        return command;
    };
    add("run", "Collect, buffer and send until SIGTERM", "  stoker agent run --config /etc/stoker/agent.yaml\n",
        &run_agent);
    add("check", "Report every problem of a configuration", "  stoker agent check agent.yaml\n", &check)
        ->add_flag("--json", options.json, "for programs");
    add("status", "How the agent of a configuration is: what waits, what was sent, what failed",
        "  stoker agent status\n  stoker agent status --json\n", &status)
        ->add_flag("--json", options.json, "for programs");
    CLI::App* docs = app.add_subcommand("config", "The configuration's reference")->require_subcommand(1);
    const std::string example = "Examples:\n  stoker agent config docs > agent-configuration.md\n";
    docs->footer(example);
    docs->add_subcommand("docs", "Print docs/agent-configuration.md")->footer(example)->callback([&chosen] {
        chosen = [] {
            std::fputs(configuration_markdown().c_str(), stdout);
            return 0;
        };
    });
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& wrong) {
        constexpr int kWrongUse = 2;
        return app.exit(wrong) == 0 ? 0 : kWrongUse;
    }
    return chosen();
}

}  // namespace stoker::agent
