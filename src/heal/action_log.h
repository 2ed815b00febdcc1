// The record of what healing does to the world: the intent before, the result after, so that a restarted Stoker knows
// what was under way.
//
// Eject, restart and readmit are actions; waiting and probing only look and stand in the timeline alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "diagnose/incident_book.h"
#include "heal/policy.h"
#include "journal/journal.h"
#include "state/state_store.h"

namespace stoker::heal {

struct ActionIntent {
    std::string id;  // Names this one execution.
    std::string incident;
    std::string replica;
    std::string policy;
    Step step{};
    std::int64_t attempt = 0;
    Timestamp at;
};

struct ActionRecord {
    ActionIntent intent;
    bool finished = false;
};

enum class ActionEnd : std::uint8_t { Succeeded, Failed, Abandoned };  // Abandoned: nobody knows how it ended.

// Thread-safe; calls block for the time of a disk write.
class ActionLog {
public:
    virtual ~ActionLog() = default;
    // Durable when it returns: act only then. Errors: Conflict if this id was ever begun.
    virtual Result<Unit> begin(const ActionIntent& intent) = 0;
    virtual Result<Unit> finish(const ActionIntent& intent, ActionEnd end, std::string_view detail, Timestamp at) = 0;
    // Begun since `since`, oldest first.
    virtual Result<std::vector<ActionRecord>> since(Timestamp since) = 0;
};

// Over the state store, with a copy of each intent and result in the journal (Kind::Action) if there is one.
// REQUIRES: both outlive the log.
std::unique_ptr<ActionLog> make_action_log(state::StateStore& store, journal::Journal* journal);

// Copies every change of an incident into the journal (Kind::Incident), as the JSON of the API.
class IncidentJournal : public diagnose::IncidentObserver {
public:
    explicit IncidentJournal(journal::Journal& journal) : journal_(journal) {}
    void on_incident(const diagnose::Incident& incident) override;

private:
    journal::Journal& journal_;
};

}  // namespace stoker::heal
