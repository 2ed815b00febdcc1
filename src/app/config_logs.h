// logs: what is collected of other programs' logs. Stoker's own is the section `log`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/time.h"

namespace stoker::app {

struct LogFilesConfig {
    std::vector<std::string> paths;
    std::vector<std::string> exclude;
    std::string service;
    std::string format = "auto";
    std::string multiline_start;
    std::string from = "end";
    std::map<std::string, std::string> attributes;
};

struct JournaldConfig {
    bool enabled = false;
    std::vector<std::string> units;
    std::string directory;
};

struct LogsConfig {
    std::vector<LogFilesConfig> files;
    bool containers = false;
    bool engines = true;
    JournaldConfig journald;
    std::vector<std::string> signature_files;
    config::Bytes max_line{std::uint64_t{256} << 10};
    std::int64_t max_lines_per_second = 50'000;
};

void describe(config::Fields& f, LogFilesConfig& c);
void describe(config::Fields& f, JournaldConfig& c);
void describe(config::Fields& f, LogsConfig& c);

}  // namespace stoker::app
