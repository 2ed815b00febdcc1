// Actions in SQLite: intents and results, without the state store's lock.
#pragma once

#include "state/sqlite.h"
#include "state/state_store.h"

namespace stoker::state {

Result<Unit> insert_intent(Database& database, const Action& action);
Result<Unit> update_result(Database& database, std::string_view id, ActionStatus status, std::string_view result,
                           Timestamp at);
Result<std::vector<Action>> select_actions(Database& database, const ActionSelection& selection);

}  // namespace stoker::state
