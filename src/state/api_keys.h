// API keys in SQLite, without the state store's lock: what they are for and what they hash to, never the keys.
#pragma once

#include "state/sqlite.h"
#include "state/state_store.h"

namespace stoker::state {

Result<Unit> put_api_key(Database& database, const ApiKey& key);
Result<Unit> remove_api_key(Database& database, std::string_view id);
Result<Unit> note_api_key_use(Database& database, std::string_view id, Timestamp at);
Result<std::vector<ApiKey>> select_api_keys(Database& database);

}  // namespace stoker::state
