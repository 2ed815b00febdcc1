// Reads Prometheus rule files and refuses what Prometheus would refuse, each problem at its FILE:LINE:COLUMN.
//
// Pure but for read_rule_files. Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/rule.h"
#include "base/config.h"
#include "base/result.h"
#include "base/time.h"

namespace stoker::alert {

// Longer durations are taken for slips of the pen; sums of a time and a few of them stay in range.
inline constexpr Duration kLongestDuration{100LL * 366 * 24 * 3600 * 1000};

// Whether a text is good PromQL: promql::Engine::check, injected.
using CheckFn = std::function<Result<Unit>(std::string_view expr)>;

struct RuleFiles {
    std::vector<RuleGroupSpec> groups;      // In order of files and within them.
    std::vector<config::Problem> problems;  // Groups are meaningful only if there is none.
    std::vector<std::string> files;         // Those read.
};

// One file's text. Duplicate group names within it are a problem.
RuleFiles parse_rule_file(std::string_view text, const std::string& file, const CheckFn& check);

// Every file that the shell patterns name, relative ones from `directory`. A pattern with wildcards may match nothing;
// a plain path that is not there is a problem.
RuleFiles read_rule_files(const std::vector<std::string>& patterns, const std::string& directory, const CheckFn& check);

}  // namespace stoker::alert
