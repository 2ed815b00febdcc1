// What is legal in rules but most likely not meant. Pure.
#pragma once

#include <string>
#include <vector>

#include "alert/rule.h"

namespace stoker::alert {

struct RuleLint {
    std::string file;
    int line = 0;
    std::string message;
};

// Rules of one name with the same labels, in one file: of recording rules, the later overwrites or conflicts with the
// earlier. promtool's "duplicate-rules".
std::vector<RuleLint> find_duplicate_rules(const std::vector<RuleGroupSpec>& groups);

}  // namespace stoker::alert
