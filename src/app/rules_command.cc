// `stoker rules check` and `stoker rules test`.
#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "alert/rule_file.h"
#include "alert/rule_lint.h"
#include "alert/rule_test_file.h"
#include "alert/rule_test_run.h"
#include "app/commands.h"
#include "base/file.h"
#include "base/text.h"
#include "promql/engine.h"

namespace stoker::app {
namespace {

using nlohmann::json;

constexpr int kLintFailed = 3;

void print_json(const json& value) {
    std::printf("%s\n", value.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
}

promql::EngineOptions engine_options(bool experimental) {
    promql::EngineOptions options;
    options.experimental = experimental;
    return options;
}

bool is_pattern(const std::string& path) {
    return path.find_first_of("*?[") != std::string::npos;
}

// What was found in the files together.
struct Checked {
    alert::RuleFiles rules;
    std::vector<alert::RuleLint> lint;
};

Checked check_files(const RulesCheckOptions& options) {
    const promql::Engine engine(engine_options(options.experimental));
    Checked checked;
    for (const std::string& pattern : options.files) {
        alert::RuleFiles some =
            alert::read_rule_files({pattern}, "", [&](std::string_view e) { return engine.check(e); });
        if (some.files.empty() && some.problems.empty() && is_pattern(pattern)) {
            some.problems.push_back({pattern, 0, 0, "", "no file matches"});
        }
        auto& all = checked.rules;
        std::move(some.files.begin(), some.files.end(), std::back_inserter(all.files));
        std::move(some.groups.begin(), some.groups.end(), std::back_inserter(all.groups));
        std::move(some.problems.begin(), some.problems.end(), std::back_inserter(all.problems));
    }
    if (options.lint != "none") checked.lint = alert::find_duplicate_rules(checked.rules.groups);
    return checked;
}

std::size_t rules_of(const Checked& checked, const std::string& file) {
    std::size_t count = 0;
    for (const auto& group : checked.rules.groups) count += group.file == file ? group.rules.size() : 0;
    return count;
}

json checked_json(const Checked& checked, bool ok) {
    json problems = json::array();
    for (const auto& problem : checked.rules.problems) {
        problems.push_back({{"file", problem.file},
                            {"line", problem.line},
                            {"column", problem.column},
                            {"key", problem.key},
                            {"message", problem.message}});
    }
    json lint = json::array();
    for (const auto& one : checked.lint) {
        lint.push_back({{"file", one.file}, {"line", one.line}, {"message", one.message}});
    }
    json files = json::array();
    for (const std::string& file : checked.rules.files)
        files.push_back({{"file", file}, {"rules", rules_of(checked, file)}});
    return {{"ok", ok}, {"files", std::move(files)}, {"problems", std::move(problems)}, {"lint", std::move(lint)}};
}

void print_checked(const Checked& checked) {
    for (const std::string& file : checked.rules.files) {
        const bool bad = std::any_of(checked.rules.problems.begin(), checked.rules.problems.end(),
                                     [&](const auto& problem) { return problem.file == file; });
        if (!bad) std::printf("%s: good, %zu rules\n", file.c_str(), rules_of(checked, file));
    }
    std::fflush(stdout);
    for (const auto& problem : checked.rules.problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
    for (const auto& one : checked.lint) {
        std::fprintf(stderr, "%s:%d: lint: %s\n", one.file.c_str(), one.line, one.message.c_str());
    }
}

alert::RuleTestReport test_file(const std::string& file, bool experimental) {
    auto text = read_file(file);
    if (!text) {
        alert::RuleTestReport report;
        report.file = file;
        report.failures.push_back({0, "", "", text.error().message});
        return report;
    }
    return alert::run_rule_tests(alert::parse_rule_test_file(*text, file), engine_options(experimental));
}

json report_json(const alert::RuleTestReport& report) {
    json failures = json::array();
    for (const auto& failure : report.failures) {
        failures.push_back(
            {{"line", failure.line}, {"test", failure.test}, {"group", failure.group}, {"message", failure.what}});
    }
    return {{"file", report.file},         {"ok", report.ok()},
            {"passed", report.passed},     {"failed", report.failures.size()},
            {"warnings", report.warnings}, {"failures", std::move(failures)}};
}

void print_report(const alert::RuleTestReport& report) {
    std::printf("%s: %s\n", report.file.c_str(), report.ok() ? "passed" : "FAILED");
    for (const std::string& warning : report.warnings) std::printf("  warning: %s\n", warning.c_str());
    for (const auto& failure : report.failures) {
        std::string head = "  ";
        if (failure.line > 0) head += report.file + ":" + std::to_string(failure.line) + ": ";
        head += failure.test;
        if (!failure.group.empty()) head += " (" + failure.group + ")";
        std::printf("%s\n", head.c_str());
        for (const std::string_view line : split(trim(failure.what), '\n')) {
            // The first line of a difference may begin with a space that trim() takes.
            std::printf("    %.*s\n", static_cast<int>(line.size()), line.data());
        }
    }
}

}  // namespace

int rules_check(const RulesCheckOptions& options) {
    const Checked checked = check_files(options);
    const bool good = checked.rules.problems.empty();
    const int code = !good ? 1 : options.lint_fatal && !checked.lint.empty() ? kLintFailed : 0;
    if (options.output == Output::Json) {
        print_json(checked_json(checked, code == 0));
    } else {
        print_checked(checked);
    }
    return code;
}

int rules_test(const RulesTestOptions& options) {
    std::size_t passed = 0;
    std::size_t failed = 0;
    bool ok = true;
    json files = json::array();
    for (const std::string& file : options.files) {
        const alert::RuleTestReport report = test_file(file, options.experimental);
        passed += report.passed;
        failed += report.failures.size();
        ok = ok && report.ok();
        if (options.output == Output::Json) {
            files.push_back(report_json(report));
        } else {
            print_report(report);
        }
    }
    if (options.output == Output::Json) {
        print_json({{"ok", ok}, {"passed", passed}, {"failed", failed}, {"files", std::move(files)}});
    } else {
        std::printf("%zu passed, %zu failed\n", passed, failed);
    }
    return ok ? 0 : 1;
}

}  // namespace stoker::app
