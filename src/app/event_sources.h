// Turns what happens in Stoker into events (docs/events.md). Thread-safe; nothing here blocks for longer than an append
// to the event log.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "alert/rule_manager.h"
#include "api/services.h"
#include "base/sync.h"
#include "diagnose/incident_book.h"
#include "gateway/degrade/degradation_control.h"
#include "gateway/route/release_event.h"
#include "gateway/upstream/replica_status.h"
#include "heal/action_log.h"
#include "outward/event_log.h"

namespace stoker::app {

class EventSources : public diagnose::IncidentObserver {
public:
    // REQUIRES: the log outlives it.
    explicit EventSources(outward::EventLog& log) : log_(log) {}

    // An incident of before this start: what is told of it is what changes from now on.
    void know(const diagnose::Incident& incident);
    void on_incident(const diagnose::Incident& incident) override;
    void alert(const alert::AlertTransition& transition);
    void replica(const gateway::ReplicaEvent& event);
    void degradation(const gateway::DegradationChange& change);
    void release(const gateway::ReleaseEvent& event);
    void reloaded(const api::ReloadOutcome& outcome);
    void started();

    // The same log, whose actions are told of as events too. REQUIRES: this outlives it.
    std::unique_ptr<heal::ActionLog> watch(std::unique_ptr<heal::ActionLog> actions);

private:
    outward::EventLog& log_;
    Mutex mutex_;
    std::map<std::string, diagnose::IncidentStatus> incidents_ GUARDED_BY(mutex_);  // By id; those that are not over.
};

// Passes alerts on, having told of them.
class AlertTee : public alert::AlertObserver {
public:
    AlertTee(EventSources& events, alert::AlertObserver& next) : events_(events), next_(next) {}
    void on_alert(const alert::AlertTransition& transition) override {
        events_.alert(transition);
        next_.on_alert(transition);
    }

private:
    EventSources& events_;
    alert::AlertObserver& next_;
};

}  // namespace stoker::app
