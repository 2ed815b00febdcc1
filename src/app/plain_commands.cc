// `stoker version`, `stoker config check` and `stoker config docs`.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/config.h"

namespace stoker::app {

int version(Output output) {
    if (output == Output::Json) {
        std::printf("%s\n", nlohmann::json{{"version", STOKER_VERSION}}.dump().c_str());
    } else {
        std::printf("stoker %s\n", STOKER_VERSION);
    }
    return 0;
}

int config_docs() {
    std::fputs(configuration_markdown().c_str(), stdout);
    return 0;
}

int config_check(const std::string& file, Output output) {
    auto loaded = load_config(file, config::process_environment());
    if (output == Output::Json) {
        nlohmann::json problems = nlohmann::json::array();
        for (const auto& problem : loaded.problems) {
            problems.push_back({{"file", problem.file},
                                {"line", problem.line},
                                {"column", problem.column},
                                {"key", problem.key},
                                {"message", problem.message}});
        }
        nlohmann::json answer = {{"ok", loaded.ok()}, {"problems", std::move(problems)}};
        std::printf("%s\n", answer.dump().c_str());
    } else if (loaded.ok()) {
        std::printf("%s: good\n", file.c_str());
    } else {
        for (const auto& problem : loaded.problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
    }
    return loaded.ok() ? 0 : 1;
}

}  // namespace stoker::app
