// States of rules and alerts as Prometheus' API shows them.
#pragma once

#include <string>
#include <vector>

#include "alert/rule_group.h"

namespace stoker::alert {

// The `data` member of /api/v1/rules: {"groups":[...]}.
std::string rules_to_json(const std::vector<GroupStatus>& groups);

// The `data` member of /api/v1/alerts: {"alerts":[...]}.
std::string alerts_to_json(const std::vector<GroupStatus>& groups);

}  // namespace stoker::alert
