// `stoker serve`.
#include "app/serve_command.h"

#include <malloc.h>
#include <sys/resource.h>

#include <cstdio>
#include <filesystem>

#include "app/ask.h"
#include "app/builtin_rules.h"
#include "app/commands.h"
#include "app/config_convert.h"
#include "app/find_engine.h"
#include "app/signals.h"
#include "base/log.h"
#include "base/log_format.h"

namespace stoker::app {
namespace {

// What the command line says wins over the file.
Result<Unit> override_config(const ServeOptions& options, Config& config) {
    // From where the command was given, not from the configuration's folder.
    if (options.data_dir) config.data_dir = std::filesystem::absolute(*options.data_dir).string();
    if (options.gateway_listen) TRY_UNIT(override_gateway_listen(config, *options.gateway_listen));
    if (options.console_listen) TRY_UNIT(override_console_listen(config, *options.console_listen));
    if (options.log_level) config.log.level = *options.log_level;
    if (options.log_format) config.log.format = *options.log_format;
    if (!log::parse_level(config.log.level)) {
        return Error{Errc::InvalidArgument, "--log-level " + config.log.level + ": use debug, info, warn or error"};
    }
    return Unit{};
}

// Thousands of streams need two descriptors each; the soft limit is often 1024.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

// Memory that a large query took goes back to the system, not into as many heaps as there are threads: what lies
// between two arrays that are still in use can't be returned, large arrays by themselves can.
void keep_heap_small() {
    ::mallopt(M_ARENA_MAX, 2);
    ::mallopt(M_MMAP_THRESHOLD, 1 << 20);  // Else it grows with the first large array that is freed.
    ::mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

}  // namespace

Result<StokerSetup> make_setup(const ServeOptions& options, const std::function<LoadedConfig()>& load) {
    LoadedConfig loaded = load();
    if (!loaded.ok()) {
        std::string all;
        for (const auto& problem : loaded.problems) all += (all.empty() ? "" : "\n") + problem.text();
        return Error{Errc::InvalidArgument, all};
    }
    TRY_UNIT(override_config(options, loaded.config));
    StokerSetup setup;
    TRY(setup.data_dir, data_folder(loaded.config, config::process_environment()));
    setup.rules = loaded.config.rules.files.empty() ? builtin_rules() : std::move(loaded.rules.groups);
    setup.config = std::move(loaded.config);
    setup.config_file = options.config_file;
    return setup;
}

int run_until_signal(Stoker& stoker, Signals& signals) {
    for (;;) {
        auto signal = signals.wait(Duration{60'000});
        if (!signal) continue;
        if (*signal != SIGHUP) break;
        stoker.reload();
    }
    log::info("stopping");
    stoker.stop();
    return 0;
}

void announce(const Stoker& stoker) {
    std::printf("Stoker is ready: page http://%s  gateway http://%s/v1\n", stoker.console_address().c_str(),
                stoker.gateway_address().c_str());
    std::fflush(stdout);
}

int serve(const ServeOptions& options) {
    if (options.demo_if_empty && options.config_file.empty() && !engine_on_this_machine()) {
        std::puts("No inference engine was found on this machine: starting the demo.");
        return demo({.serve = options});
    }
    Signals signals;
    keep_heap_small();
    raise_descriptor_limit();
    auto load = [options]() -> LoadedConfig {
        if (options.config_file.empty()) return {.config = default_config(), .rules = {}, .problems = {}};
        auto loaded = load_config(options.config_file, config::process_environment());
        if (!loaded.ok()) return loaded;
        auto overridden = override_config(options, loaded.config);
        if (!overridden)
            loaded.problems.push_back({.file = "command line", .key = "", .message = overridden.error().message});
        return loaded;
    };
    auto setup = make_setup(options, load);
    if (!setup) return fail(setup.error());
    if (!options.config_file.empty()) setup->load = load;
    log::configure(log_level(setup->config.log), log_format(setup->config.log));
    auto stoker = Stoker::start(*std::move(setup));
    if (!stoker) return fail(stoker.error());
    announce(**stoker);
    return run_until_signal(**stoker, signals);
}

}  // namespace stoker::app
