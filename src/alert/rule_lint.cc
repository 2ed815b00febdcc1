#include "alert/rule_lint.h"

#include <map>
#include <tuple>
#include <utility>

namespace stoker::alert {

std::vector<RuleLint> find_duplicate_rules(const std::vector<RuleGroupSpec>& groups) {
    std::vector<RuleLint> found;
    std::map<std::tuple<std::string, std::string, Texts>, int> first;
    for (const RuleGroupSpec& group : groups) {
        for (const RuleSpec& rule : group.rules) {
            const auto [known, fresh] = first.try_emplace({group.file, rule.name, rule.labels}, rule.line);
            if (fresh) continue;
            std::string labels;
            for (const auto& [name, value] : rule.labels) labels += (labels.empty() ? "" : ", ") + name + ": " + value;
            found.push_back({group.file, rule.line,
                             "duplicate rule: `" + rule.name + "`" + (labels.empty() ? "" : " {" + labels + "}") +
                                 " is also at line " + std::to_string(known->second)});
        }
    }
    return found;
}

}  // namespace stoker::alert
