// Which files the patterns of rules.files mean.
#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>

#include "app/config.h"

namespace stoker::app {
namespace {

Error not_found(const std::string& path) {
    return {Errc::NotFound,
            fmt::format("there is no file {}; relative paths start at the configuration file's folder", path)};
}

// The paths that match, sorted. A pattern with wildcards may match nothing, a plain path must exist.
Result<std::vector<std::string>> matches(const std::string& pattern) {
    glob_t found{};
    const int status = ::glob(pattern.c_str(), 0, nullptr, &found);
    std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    const bool wild = pattern.find_first_of("*?[") != std::string::npos;
    if (status == GLOB_NOMATCH && !wild) return not_found(pattern);
    if (status != 0 && status != GLOB_NOMATCH) {
        return Error{Errc::Internal, fmt::format("cannot list the files of {}", pattern)};
    }
    return paths;
}

}  // namespace

Result<std::vector<std::string>> rule_files(const Config& config) {
    std::vector<std::string> files;
    for (const std::string& pattern : config.rules.files) {
        TRY(auto paths, matches((std::filesystem::path(config.folder) / pattern).string()));
        for (std::string& path : paths) {
            if (std::find(files.begin(), files.end(), path) == files.end()) files.push_back(std::move(path));
        }
    }
    return files;
}

}  // namespace stoker::app
