// Unit tests of rules, as promtool's files describe them: series in, alerts and samples expected at given times.
//
// https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/ is the format. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alert/rule.h"
#include "base/config.h"
#include "base/time.h"

namespace stoker::alert {

struct InputSeries {
    std::string series;
    std::string values;  // promql/series_text.h
    int line = 0;
};

struct ExpectedAlert {
    Texts labels;  // Without alertname.
    Texts annotations;
};

struct AlertTest {
    Duration eval_time{0};
    std::string alertname;
    std::vector<ExpectedAlert> alerts;
    int line = 0;
};

struct ExpectedSample {
    std::string labels;
    double value = 0;
    std::string histogram;  // Not empty: a literal, and `value` means nothing.
};

struct ExprTest {
    std::string expr;
    Duration eval_time{0};
    std::vector<ExpectedSample> samples;
    int line = 0;
};

struct RuleTestGroup {
    std::string name;
    Duration interval{0};  // 0: the evaluation interval.
    std::vector<InputSeries> input_series;
    std::vector<AlertTest> alert_tests;
    std::vector<ExprTest> expr_tests;
    Texts external_labels;
    std::string external_url;
    int line = 0;
};

struct RuleTestFile {
    std::string file;
    std::vector<std::string> rule_files;  // Patterns, relative to the file's folder.
    Duration evaluation_interval{60'000};
    std::vector<std::string> group_eval_order;
    bool fuzzy_compare = false;
    std::vector<RuleTestGroup> tests;
    std::vector<config::Problem> problems;  // The rest is meaningful only if there is none.
};

RuleTestFile parse_rule_test_file(std::string_view text, const std::string& file);

}  // namespace stoker::alert
