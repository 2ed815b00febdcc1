#include "app/builtin_rules.h"

#include "alert/rule_file.h"
#include "app/builtin_files.h"
#include "base/check.h"
#include "promql/engine.h"

namespace stoker::app {

std::vector<alert::RuleGroupSpec> builtin_rules() {
    promql::Engine engine;
    auto check = [&engine](std::string_view expr) { return engine.check(expr); };
    std::vector<alert::RuleGroupSpec> groups;
    for (const BuiltinFile& file : kBuiltinRules) {
        auto rules = alert::parse_rule_file(file.text, std::string("built-in ") + file.name, check);
        STOKER_CHECK(rules.problems.empty(), "the rules that ship with Stoker are broken");
        groups.insert(groups.end(), std::make_move_iterator(rules.groups.begin()),
                      std::make_move_iterator(rules.groups.end()));
    }
    return groups;
}

}  // namespace stoker::app
