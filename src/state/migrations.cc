#include "state/migrations.h"

#include <fmt/format.h>

#include <array>

namespace stoker::state {
namespace {

// Step i takes a database of version i to version i + 1. A step that was released never changes.
constexpr std::array<const char*, kSchemaVersion> kSteps = {
    R"(
    CREATE TABLE documents (
        collection TEXT NOT NULL, id TEXT NOT NULL, time_ms INTEGER NOT NULL, status TEXT NOT NULL,
        revision INTEGER NOT NULL, body TEXT NOT NULL,
        UNIQUE (collection, id)) STRICT;
    CREATE INDEX documents_by_time ON documents (collection, time_ms);
    CREATE TABLE actions (
        id TEXT NOT NULL PRIMARY KEY, incident_id TEXT NOT NULL, policy TEXT NOT NULL, kind TEXT NOT NULL,
        target TEXT NOT NULL, detail TEXT NOT NULL, intended_ms INTEGER NOT NULL, status TEXT NOT NULL,
        finished_ms INTEGER NOT NULL, result TEXT NOT NULL) STRICT;
    CREATE INDEX actions_by_time ON actions (intended_ms);
    )",
    R"(
    CREATE INDEX documents_by_status ON documents (collection, status, time_ms);
    CREATE INDEX actions_by_status ON actions (status, intended_ms);
    CREATE TABLE settings (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    )",
    R"(
    CREATE TABLE api_keys (
        id TEXT NOT NULL PRIMARY KEY, tenant TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, previous_hash TEXT NOT NULL,
        previous_until_ms INTEGER NOT NULL, priority TEXT NOT NULL, models TEXT NOT NULL, metadata TEXT NOT NULL,
        created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, rotated_ms INTEGER NOT NULL,
        revoked_ms INTEGER NOT NULL, last_used_ms INTEGER NOT NULL) STRICT;
    )",
};

Result<std::int64_t> version_of(Database& database) {
    TRY(auto query, database.query("PRAGMA user_version"));
    TRY([[maybe_unused]] const bool row, query.step());
    return query.number(0);
}

}  // namespace

Result<Unit> migrate(Database& database, std::int64_t target) {
    TRY(const std::int64_t found, version_of(database));
    if (found > target) {
        return Error{Errc::Conflict, fmt::format("{}: written by a newer Stoker (version {}, this program knows {})",
                                                 database.path(), found, target)};
    }
    for (std::int64_t version = found; version < target; ++version) {
        TRY(auto transaction, Transaction::begin(database));
        TRY_UNIT(database.execute(kSteps[static_cast<std::size_t>(version)]));
        TRY_UNIT(database.execute(fmt::format("PRAGMA user_version = {}", version + 1)));
        TRY_UNIT(transaction.commit());
    }
    return Unit{};
}

}  // namespace stoker::state
