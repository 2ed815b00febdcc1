// Runs unit tests of rules: plays the input series, evaluates the rules step by step, and compares.
//
// Verdicts are promtool's. Reads the rule files; otherwise pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "alert/rule_test_file.h"
#include "promql/engine.h"

namespace stoker::alert {

struct RuleTestFailure {
    int line = 0;       // Of the test in its file; 0: of the file itself.
    std::string test;   // "alert InstanceDown at 10m"
    std::string group;  // The name of its group of tests, if it has one.
    std::string what;   // Lines: "- " expected but not there, "+ " there but not expected, "  " both.
};

struct RuleTestReport {
    std::string file;
    std::size_t passed = 0;  // Of alert_rule_test and promql_expr_test entries.
    std::vector<RuleTestFailure> failures;
    std::vector<std::string> warnings;
    bool ok() const { return failures.empty(); }
};

// `options`: of the engine; the step of subqueries is the file's evaluation interval.
RuleTestReport run_rule_tests(const RuleTestFile& file, promql::EngineOptions options);

}  // namespace stoker::alert
