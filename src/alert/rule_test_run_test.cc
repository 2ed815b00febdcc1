#include "alert/rule_test_run.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"

namespace stoker::alert {
namespace {

// "3 passed" or the failures, one a line: test, and what is wrong.
std::string outcome(const std::string& tests, const std::string& rules = "") {
    const auto folder = std::filesystem::path(::testing::TempDir()) / "rule_test_run";
    EXPECT_TRUE(ensure_directory(folder).has_value());
    EXPECT_TRUE(write_file_atomic(folder / "rules.yaml", rules).has_value());
    const std::string file = (folder / "test.yaml").string();
    const auto report = run_rule_tests(parse_rule_test_file("rule_files: [rules.yaml]\n" + tests, file), {});
    std::string out;
    for (const RuleTestFailure& failure : report.failures) out += failure.test + ": " + failure.what;
    return out.empty() ? std::to_string(report.passed) + " passed" : out;
}

TEST(RuleTests, SamplesAreCompared) {
    EXPECT_EQ(outcome(R"(
tests:
  - interval: 1m
    input_series: [{series: 'x{a="b"}', values: '1+1x5 0x2'}]
    promql_expr_test:
      - {expr: x, eval_time: 2m, exp_samples: [{labels: 'x{a="b"}', value: 3}]}
      - {expr: x, eval_time: 6m, exp_samples: [{labels: 'x{a="b"}', value: 0}]}
      - {expr: '1', eval_time: 0s, exp_samples: [{labels: '', value: 1}]}
      - {expr: 'x > 100', eval_time: 0s}
)"),
              "4 passed");
    EXPECT_EQ(outcome(R"(
tests:
  - input_series: [{series: x, values: '1'}, {series: y, values: '1'}]
    promql_expr_test: [{expr: '{__name__=~"x|y"}', exp_samples: [{labels: x, value: 2}, {labels: y, value: 1}]}]
)"),
              "expr \"{__name__=~\\\"x|y\\\"}\" at 0s: + x 1\n- x 2\n  y 1\n");
}

TEST(RuleTests, HistogramsAreRecordedAndCompared) {
    EXPECT_EQ(outcome(R"(
tests:
  - interval: 1m
    input_series: [{series: h, values: '{{schema:0 sum:3 count:2 buckets:[1 1]}}+{{sum:3 count:2 buckets:[1 1]}}x3'}]
    promql_expr_test:
      - {expr: recorded, eval_time: 1m, exp_samples: [{labels: recorded, histogram: '{{sum:6 count:4 buckets:[2 2]}}'}]}
      - {expr: histogram_count(recorded), eval_time: 3m, exp_samples: [{labels: '{}', value: 8}]}
)",
                      "groups: [{name: g, rules: [{record: recorded, expr: h}]}]"),
              "2 passed");
}

TEST(RuleTests, FuzzyComparisonForgivesTheLastBit) {
    const std::string tests = R"(
tests:
  - input_series: [{series: x, values: '0.1'}]
    promql_expr_test: [{expr: x + 0.2, exp_samples: [{labels: '{}', value: 0.3}]}]
)";
    EXPECT_EQ(outcome("fuzzy_compare: true" + tests), "1 passed");
    EXPECT_NE(outcome(tests), "1 passed");
}

TEST(RuleTests, GroupsComeInTheirOrder) {
    const std::string rules = R"(
groups:
  - {name: late, rules: [{record: b, expr: a}]}
  - {name: early, rules: [{record: a, expr: x}]}
)";
    const std::string tests = R"(
tests:
  - input_series: [{series: x, values: '1'}]
    promql_expr_test: [{expr: b, exp_samples: [{labels: b, value: 1}]}]
)";
    EXPECT_EQ(outcome("group_eval_order: [early, late]" + tests, rules), "1 passed");
    EXPECT_NE(outcome("group_eval_order: [late, early]" + tests, rules), "1 passed");
    EXPECT_NE(outcome("group_eval_order: [late, late]" + tests, rules).find("repeated"), std::string::npos);
}

TEST(RuleTests, FilesAreReadStrictly) {
    const auto problem = [](std::string_view text) {
        const auto read = parse_rule_test_file(text, "f");
        return read.problems.empty() ? "" : read.problems[0].text();
    };
    EXPECT_EQ(problem(""), "");
    EXPECT_NE(problem("test: []").find("did you mean `tests`?"), std::string::npos);
    EXPECT_NE(problem("tests: [{interval: soon}]").find("f:1:"), std::string::npos);
    EXPECT_NE(problem("tests: [{interval: 900y}]").find("too long"), std::string::npos);
    EXPECT_NE(problem("tests: [{alert_rule_test: [{eval_time: 1m}]}]").find("alertname"), std::string::npos);
    EXPECT_NE(problem("tests: 7").find("must be a list"), std::string::npos);
    EXPECT_NE(problem("tests: [{promql_expr_test: [{exp_samples: [{value: x}]}]}]").find("must be a number"),
              std::string::npos);
}

}  // namespace
}  // namespace stoker::alert
