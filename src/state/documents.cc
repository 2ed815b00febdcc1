#include "state/documents.h"

#include <fmt/format.h>

#include <limits>

namespace stoker::state {
namespace {

constexpr std::string_view kColumns = "id, time_ms, status, body, revision";

Document document_of(const Query& row) {
    return {.id = row.text(0),
            .time = from_millis(row.number(1)),
            .status = row.text(2),
            .body = row.text(3),
            .revision = row.number(4)};
}

// " AND status IN (?, ?)"; nothing if any will do.
std::string status_condition(const std::vector<std::string>& status) {
    std::string sql;
    for (const std::string& each : status) sql += each.data() == status.front().data() ? "?" : ", ?";
    return sql.empty() ? "" : " AND status IN (" + sql + ")";
}

void bind_all(Query& query, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) query.bind(text);
}

// What list() and count() select: collection, from, to, and statuses are bound in this order.
std::string selected_by(const Selection& selection) {
    return "FROM documents WHERE collection = ? AND time_ms >= ? AND time_ms < ?" + status_condition(selection.status);
}

void bind_selection(Query& query, std::string_view collection, const Selection& selection) {
    query.bind(collection);
    query.bind(selection.from ? to_millis(*selection.from) : std::numeric_limits<std::int64_t>::min());
    query.bind(selection.to ? to_millis(*selection.to) : std::numeric_limits<std::int64_t>::max());
    bind_all(query, selection.status);
}

}  // namespace

Result<std::int64_t> Documents::put(std::string_view collection, const Document& document) {
    TRY(auto query, database_.query(R"(
        INSERT INTO documents (collection, id, time_ms, status, body, revision) VALUES (?, ?, ?, ?, ?, 1)
        ON CONFLICT (collection, id) DO UPDATE SET time_ms = excluded.time_ms, status = excluded.status,
            body = excluded.body, revision = revision + 1
        RETURNING revision)"));
    query.bind(collection).bind(document.id).bind(to_millis(document.time)).bind(document.status).bind(document.body);
    TRY([[maybe_unused]] const bool row, query.step());
    const std::int64_t revision = query.number(0);
    TRY_UNIT(query.run());  // To the end, where it commits.
    return revision;
}

Result<Document> Documents::get(std::string_view collection, std::string_view id) {
    TRY(auto query, database_.query(fmt::format("SELECT {} FROM documents WHERE collection = ? AND id = ?", kColumns)));
    query.bind(collection).bind(id);
    TRY(const bool found, query.step());
    if (!found) return Error{Errc::NotFound, fmt::format("{} has no {}", collection, id)};
    return document_of(query);
}

Result<std::vector<Document>> Documents::list(std::string_view collection, const Selection& selection) {
    const std::string_view order = selection.oldest_first ? "ASC" : "DESC";
    TRY(auto query, database_.query(fmt::format("SELECT {} {} ORDER BY time_ms {}, id {} LIMIT ? OFFSET ?", kColumns,
                                                selected_by(selection), order, order)));
    bind_selection(query, collection, selection);
    query.bind(static_cast<std::int64_t>(selection.limit)).bind(static_cast<std::int64_t>(selection.offset));
    std::vector<Document> documents;
    for (;;) {
        TRY(const bool found, query.step());
        if (!found) return documents;
        documents.push_back(document_of(query));
    }
}

Result<std::uint64_t> Documents::count(std::string_view collection, const Selection& selection) {
    TRY(auto query, database_.query("SELECT count(*) " + selected_by(selection)));
    bind_selection(query, collection, selection);
    TRY([[maybe_unused]] const bool row, query.step());
    return static_cast<std::uint64_t>(query.number(0));
}

Result<Unit> Documents::remove(std::string_view collection, std::string_view id) {
    TRY(auto query, database_.query("DELETE FROM documents WHERE collection = ? AND id = ?"));
    return query.bind(collection).bind(id).run();
}

Result<std::uint64_t> Documents::remove_before(std::string_view collection, Timestamp before,
                                               const std::vector<std::string>& status) {
    TRY(auto query,
        database_.query("DELETE FROM documents WHERE collection = ? AND time_ms < ?" + status_condition(status)));
    query.bind(collection).bind(to_millis(before));
    bind_all(query, status);
    TRY_UNIT(query.run());
    return static_cast<std::uint64_t>(database_.changes());
}

Result<Unit> Documents::set_value(std::string_view key, std::string_view value) {
    TRY(auto query, database_.query("INSERT INTO settings (key, value) VALUES (?, ?) "
                                    "ON CONFLICT (key) DO UPDATE SET value = excluded.value"));
    return query.bind(key).bind(value).run();
}

Result<std::string> Documents::value(std::string_view key) {
    TRY(auto query, database_.query("SELECT value FROM settings WHERE key = ?"));
    query.bind(key);
    TRY(const bool found, query.step());
    if (!found) return Error{Errc::NotFound, fmt::format("no value for {}", key)};
    return query.text(0);
}

}  // namespace stoker::state
