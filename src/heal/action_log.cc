#include "heal/action_log.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"

namespace stoker::heal {
namespace {

using nlohmann::json;

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

state::ActionStatus status_of(ActionEnd end) {
    switch (end) {
        case ActionEnd::Succeeded:
            return state::ActionStatus::Succeeded;
        case ActionEnd::Failed:
            return state::ActionStatus::Failed;
        case ActionEnd::Abandoned:
            break;
    }
    return state::ActionStatus::Abandoned;
}

class StateActionLog : public ActionLog {
public:
    StateActionLog(state::StateStore& store, journal::Journal* journal) : store_(store), journal_(journal) {}

    Result<Unit> begin(const ActionIntent& intent) override {
        state::Action action;
        action.id = intent.id;
        action.incident_id = intent.incident;
        action.policy = intent.policy;
        action.kind = std::string(to_string(intent.step));
        action.target = intent.replica;
        action.detail = dump({{"attempt", intent.attempt}});
        action.intended_at = intent.at;
        TRY_UNIT(store_.begin_action(action));
        write_journal(intent, intent.at, {{"event", "intent"}});
        return Unit{};
    }

    Result<Unit> finish(const ActionIntent& intent, ActionEnd end, std::string_view detail, Timestamp at) override {
        TRY_UNIT(store_.finish_action(intent.id, status_of(end), detail, at));
        write_journal(intent, at, {{"event", "result"}, {"status", to_string(status_of(end))}, {"detail", detail}});
        return Unit{};
    }

    Result<std::vector<ActionRecord>> since(Timestamp since) override {
        state::ActionSelection selection;
        selection.intended_since = since;
        selection.limit = 10'000;
        TRY(auto actions, store_.actions(selection));
        std::vector<ActionRecord> records;
        for (const state::Action& action : actions) {
            const auto step = step_from(action.kind);
            if (!step) continue;  // Another kind of action; not healing's.
            const json detail = json::parse(action.detail, nullptr, false);
            const std::int64_t attempt = detail.is_object() ? detail.value("attempt", std::int64_t{1}) : 1;
            records.push_back(
                {{action.id, action.incident_id, action.target, action.policy, *step, attempt, action.intended_at},
                 action.status != state::ActionStatus::Intended});
        }
        std::stable_sort(records.begin(), records.end(), [](const ActionRecord& a, const ActionRecord& b) {
            return std::pair(a.intent.at, a.intent.id) < std::pair(b.intent.at, b.intent.id);
        });
        return records;
    }

private:
    void write_journal(const ActionIntent& intent, Timestamp at, json record) {
        if (journal_ == nullptr) return;
        record["id"] = intent.id;
        record["incident"] = intent.incident;
        record["replica"] = intent.replica;
        record["policy"] = intent.policy;
        record["step"] = to_string(intent.step);
        record["attempt"] = intent.attempt;
        record["at_ms"] = to_millis(at);
        if (const auto done = journal_->append(journal::Kind::Action, dump(record), at); !done) {
            log::error("action is not in the journal", {{"action", intent.id}, {"error", done.error().message}});
        }
    }

    state::StateStore& store_;
    journal::Journal* const journal_;
};

}  // namespace

std::unique_ptr<ActionLog> make_action_log(state::StateStore& store, journal::Journal* journal) {
    return std::make_unique<StateActionLog>(store, journal);
}

void IncidentJournal::on_incident(const diagnose::Incident& incident) {
    const auto done = journal_.append(journal::Kind::Incident, diagnose::to_json(incident), incident.updated_at);
    if (!done)
        log::error("incident is not in the journal", {{"incident", incident.id}, {"error", done.error().message}});
}

}  // namespace stoker::heal
