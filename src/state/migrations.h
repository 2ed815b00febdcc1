// The state database's tables, by numbered versions (SQLite's user_version). docs/format/state.md has them for people.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "state/sqlite.h"

namespace stoker::state {

inline constexpr std::int64_t kSchemaVersion = 3;

// Brings the database to `target`, each step in its own transaction. Errors: Conflict if it is newer.
Result<Unit> migrate(Database& database, std::int64_t target = kSchemaVersion);

}  // namespace stoker::state
