#include "app/builtin_rules.h"

#include "alert/rule_file.h"
#include "app/builtin_files.h"
#include "base/check.h"
#include "promql/engine.h"

namespace stoker::app {

std::vector<alert::RuleGroupSpec> builtin_rules() {
    promql::Engine engine;
    auto check = [&engine](std::string_view expr) { return engine.check(expr); };
    auto rules = alert::parse_rule_file(kBuiltinRules, "built-in", check);
    STOKER_CHECK(rules.problems.empty(), "the rules that ship with Stoker are broken");
    return std::move(rules.groups);
}

}  // namespace stoker::app
