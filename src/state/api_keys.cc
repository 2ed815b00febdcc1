#include "state/api_keys.h"

#include <fmt/format.h>

namespace stoker::state {
namespace {

// A time that may be missing is 0 in the table.
std::optional<Timestamp> time_of(const Query& row, int column) {
    const std::int64_t millis = row.number(column);
    return millis == 0 ? std::nullopt : std::optional(from_millis(millis));
}

std::int64_t millis_of(const std::optional<Timestamp>& time) {
    return time ? to_millis(*time) : 0;
}

}  // namespace

Result<Unit> put_api_key(Database& database, const ApiKey& key) {
    TRY(auto query, database.query(R"(
        INSERT INTO api_keys (id, tenant, hash, previous_hash, previous_until_ms, priority, models, metadata,
                              created_ms, expires_ms, rotated_ms, revoked_ms, last_used_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, hash = excluded.hash,
            previous_hash = excluded.previous_hash, previous_until_ms = excluded.previous_until_ms,
            priority = excluded.priority, models = excluded.models, metadata = excluded.metadata,
            expires_ms = excluded.expires_ms, rotated_ms = excluded.rotated_ms, revoked_ms = excluded.revoked_ms)"));
    query.bind(key.id).bind(key.tenant).bind(key.hash).bind(key.previous_hash).bind(millis_of(key.previous_until));
    query.bind(key.priority).bind(key.models).bind(key.metadata).bind(to_millis(key.created));
    query.bind(millis_of(key.expires)).bind(millis_of(key.rotated)).bind(millis_of(key.revoked));
    auto done = query.bind(millis_of(key.last_used)).run();
    if (!done && done.error().code == Errc::Conflict) {
        return Error{Errc::Conflict, fmt::format("the key {} has the hash of another one", key.id)};
    }
    return done;
}

Result<Unit> remove_api_key(Database& database, std::string_view id) {
    TRY(auto query, database.query("DELETE FROM api_keys WHERE id = ?"));
    return query.bind(id).run();
}

Result<Unit> note_api_key_use(Database& database, std::string_view id, Timestamp at) {
    TRY(auto query, database.query("UPDATE api_keys SET last_used_ms = max(last_used_ms, ?) WHERE id = ?"));
    return query.bind(to_millis(at)).bind(id).run();
}

Result<std::vector<ApiKey>> select_api_keys(Database& database) {
    TRY(auto query, database.query(R"(
        SELECT id, tenant, hash, previous_hash, priority, models, metadata, created_ms, previous_until_ms, expires_ms,
               rotated_ms, revoked_ms, last_used_ms
        FROM api_keys ORDER BY created_ms, id)"));
    std::vector<ApiKey> keys;
    for (;;) {
        TRY(const bool found, query.step());
        if (!found) return keys;
        keys.push_back({.id = query.text(0),
                        .tenant = query.text(1),
                        .hash = query.text(2),
                        .previous_hash = query.text(3),
                        .priority = query.text(4),
                        .models = query.text(5),
                        .metadata = query.text(6),
                        .created = from_millis(query.number(7)),
                        .previous_until = time_of(query, 8),
                        .expires = time_of(query, 9),
                        .rotated = time_of(query, 10),
                        .revoked = time_of(query, 11),
                        .last_used = time_of(query, 12)});
    }
}

}  // namespace stoker::state
