// `stoker promqltest`.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/ask.h"
#include "app/commands.h"
#include "base/file.h"
#include "promql/promqltest.h"

namespace stoker::app {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A folder stands for the scripts below it.
std::vector<std::string> scripts_of(const std::vector<std::string>& named) {
    std::vector<std::string> files;
    for (const auto& name : named) {
        std::error_code code;
        if (!fs::is_directory(name, code)) {
            files.push_back(name);
            continue;
        }
        const std::size_t before = files.size();
        for (const auto& entry : fs::recursive_directory_iterator(name, code)) {
            if (entry.path().extension() == ".test") files.push_back(entry.path().string());
        }
        std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
    }
    return files;
}

void print(const std::string& file, const promql::ScriptReport& report) {
    for (const auto& mismatch : report.mismatches) {
        std::printf("%s:%zu: %s\n%s%s", file.c_str(), mismatch.line, mismatch.query.c_str(),
                    mismatch.difference.c_str(), mismatch.difference.ends_with('\n') ? "" : "\n");
    }
}

json to_json(const std::string& file, const promql::ScriptReport& report) {
    json mismatches = json::array();
    for (const auto& mismatch : report.mismatches) {
        mismatches.push_back({{"line", mismatch.line}, {"query", mismatch.query}, {"difference", mismatch.difference}});
    }
    return {
        {"file", file}, {"passed", report.passed}, {"failed", report.failed}, {"mismatches", std::move(mismatches)}};
}

}  // namespace

int promqltest(const PromqltestOptions& options) {
    const auto files = scripts_of(options.files);
    if (files.empty()) return fail({Errc::NotFound, "no *.test file in " + options.files.front()});
    std::size_t passed = 0;
    std::size_t failed = 0;
    json reports = json::array();
    for (const auto& file : files) {
        promql::ScriptReport report;
        if (auto script = read_file(file)) {
            report = promql::ScriptRunner().run(*script);
        } else {
            report.failed = 1;
            report.mismatches.push_back({0, script.error().message, ""});
        }
        passed += report.passed;
        failed += report.failed;
        if (options.output == Output::Json) {
            reports.push_back(to_json(file, report));
        } else {
            print(file, report);
        }
    }
    if (options.output == Output::Json) {
        std::printf("%s\n", json{{"version", 1}, {"passed", passed}, {"failed", failed}, {"files", std::move(reports)}}
                                .dump(-1, ' ', false, json::error_handler_t::replace)
                                .c_str());
    } else {
        std::printf("%zu passed, %zu failed\n", passed, failed);
    }
    return failed == 0 ? 0 : 1;
}

}  // namespace stoker::app
