#include "state/actions.h"

#include <fmt/format.h>

#include <limits>

namespace stoker::state {
namespace {

ActionStatus status_of(std::string_view text) {
    for (const ActionStatus status : {ActionStatus::Intended, ActionStatus::Succeeded, ActionStatus::Failed}) {
        if (text == to_string(status)) return status;
    }
    return ActionStatus::Abandoned;
}

}  // namespace

std::string_view to_string(ActionStatus status) {
    switch (status) {
        case ActionStatus::Intended:
            return "intended";
        case ActionStatus::Succeeded:
            return "succeeded";
        case ActionStatus::Failed:
            return "failed";
        case ActionStatus::Abandoned:
            return "abandoned";
    }
    return "abandoned";
}

Result<Unit> insert_intent(Database& database, const Action& action) {
    TRY(auto query, database.query(R"(
        INSERT INTO actions (id, incident_id, policy, kind, target, detail, intended_ms, status, finished_ms, result)
        VALUES (?, ?, ?, ?, ?, ?, ?, 'intended', 0, ''))"));
    query.bind(action.id).bind(action.incident_id).bind(action.policy).bind(action.kind).bind(action.target);
    auto inserted = query.bind(action.detail).bind(to_millis(action.intended_at)).run();
    if (!inserted && inserted.error().code == Errc::Conflict) {
        return Error{Errc::Conflict, fmt::format("action {} was begun before; it must not run twice", action.id)};
    }
    return inserted;
}

Result<Unit> update_result(Database& database, std::string_view id, ActionStatus status, std::string_view result,
                           Timestamp at) {
    if (status == ActionStatus::Intended) {
        return Error{Errc::InvalidArgument, "an action can't finish as intended"};
    }
    TRY(auto query, database.query("UPDATE actions SET status = ?, result = ?, finished_ms = ? "
                                   "WHERE id = ? AND status = 'intended'"));
    TRY_UNIT(query.bind(to_string(status)).bind(result).bind(to_millis(at)).bind(id).run());
    if (database.changes() == 1) return Unit{};
    TRY(auto known, database.query("SELECT status FROM actions WHERE id = ?"));
    known.bind(id);
    TRY(const bool found, known.step());
    if (!found) return Error{Errc::NotFound, fmt::format("there is no action {}", id)};
    return Error{Errc::Conflict, fmt::format("action {} is finished already: {}", id, known.text(0))};
}

Result<std::vector<Action>> select_actions(Database& database, const ActionSelection& selection) {
    // An empty text selects everything, so that one prepared statement serves every selection.
    TRY(auto query, database.query(R"(
        SELECT id, incident_id, policy, kind, target, detail, intended_ms, status, finished_ms, result FROM actions
        WHERE intended_ms >= ? AND (?2 = '' OR incident_id = ?2) AND (?3 = '' OR target = ?3)
            AND (?4 = '' OR policy = ?4) AND (?5 = '' OR status = ?5)
        ORDER BY intended_ms DESC, rowid DESC LIMIT ?6)"));
    query.bind(selection.intended_since ? to_millis(*selection.intended_since)
                                        : std::numeric_limits<std::int64_t>::min());
    query.bind(selection.incident_id).bind(selection.target).bind(selection.policy);
    query.bind(selection.status ? to_string(*selection.status) : std::string_view());
    query.bind(static_cast<std::int64_t>(selection.limit));
    std::vector<Action> actions;
    for (;;) {
        TRY(const bool found, query.step());
        if (!found) return actions;
        actions.push_back({.id = query.text(0),
                           .incident_id = query.text(1),
                           .policy = query.text(2),
                           .kind = query.text(3),
                           .target = query.text(4),
                           .detail = query.text(5),
                           .intended_at = from_millis(query.number(6)),
                           .status = status_of(query.text(7)),
                           .finished_at = from_millis(query.number(8)),
                           .result = query.text(9)});
    }
}

}  // namespace stoker::state
