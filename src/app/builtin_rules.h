// The rules that ship with Stoker (config/rules), used where a configuration names none.
#pragma once

#include <vector>

#include "alert/rule.h"

namespace stoker::app {

std::vector<alert::RuleGroupSpec> builtin_rules();

}  // namespace stoker::app
