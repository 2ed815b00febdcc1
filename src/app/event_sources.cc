#include "app/event_sources.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "gateway/degrade/degradation.h"

namespace stoker::app {
namespace {

using nlohmann::json;
using outward::Event;
using outward::Severity;

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

class WatchedActions final : public heal::ActionLog {
public:
    WatchedActions(std::unique_ptr<heal::ActionLog> log, outward::EventLog& events)
        : log_(std::move(log)), events_(events) {}

    Result<Unit> begin(const heal::ActionIntent& intent) override {
        TRY_UNIT(log_->begin(intent));
        tell("healing.started", intent, intent.at, Severity::Info,
             "Healing: " + std::string(to_string(intent.step)) + " " + intent.replica + ".", json::object());
        return Unit{};
    }

    Result<Unit> finish(const heal::ActionIntent& intent, heal::ActionEnd end, std::string_view detail,
                        Timestamp at) override {
        TRY_UNIT(log_->finish(intent, end, detail, at));
        const bool good = end == heal::ActionEnd::Succeeded;
        const char* how = good ? "succeeded" : end == heal::ActionEnd::Failed ? "failed" : "was abandoned";
        tell("healing.finished", intent, at, good ? Severity::Info : Severity::Warning,
             "Healing: " + std::string(to_string(intent.step)) + " " + intent.replica + " " + how + ".",
             {{"result", good                             ? "succeeded"
                         : end == heal::ActionEnd::Failed ? "failed"
                                                          : "abandoned"},
              {"detail", detail}});
        return Unit{};
    }

    Result<std::vector<heal::ActionRecord>> since(Timestamp from) override { return log_->since(from); }

private:
    void tell(const char* type, const heal::ActionIntent& intent, Timestamp at, Severity severity, std::string summary,
              json data) {
        data["action"] = intent.id;
        data["incident"] = intent.incident;
        data["policy"] = intent.policy;
        data["step"] = to_string(intent.step);
        data["attempt"] = intent.attempt;
        Event event;
        event.at = at;
        event.type = type;
        event.severity = severity;
        event.subject = intent.replica;
        event.summary = std::move(summary);
        event.data = dump(data);
        events_.publish(std::move(event));
    }

    const std::unique_ptr<heal::ActionLog> log_;
    outward::EventLog& events_;
};

std::string text_of(const alert::Texts& texts, const char* key) {
    const auto found = texts.find(key);
    return found == texts.end() ? "" : found->second;
}

}  // namespace

std::unique_ptr<heal::ActionLog> EventSources::watch(std::unique_ptr<heal::ActionLog> actions) {
    return std::make_unique<WatchedActions>(std::move(actions), log_);
}

void EventSources::know(const diagnose::Incident& incident) {
    MutexLock lock(mutex_);
    incidents_[incident.id] = incident.status;
}

void EventSources::on_incident(const diagnose::Incident& incident) {
    using diagnose::IncidentStatus;
    bool fresh = false;
    {
        MutexLock lock(mutex_);
        const auto [known, added] = incidents_.try_emplace(incident.id, incident.status);
        fresh = added;
        if (!added && std::exchange(known->second, incident.status) == incident.status) return;
        if (diagnose::is_over(incident)) incidents_.erase(incident.id);
    }
    Event event;
    event.at = incident.updated_at;
    event.type = fresh                                          ? "incident.opened"
                 : incident.status == IncidentStatus::Resolved  ? "incident.resolved"
                 : incident.status == IncidentStatus::Escalated ? "incident.escalated"
                                                                : "incident.updated";
    event.severity = diagnose::is_over(incident) ? Severity::Info : outward::severity_from(incident.severity);
    event.subject = incident.replica.empty() ? incident.pool : incident.replica;
    event.summary = incident.title;
    json data{{"incident", incident.id},
              {"kind", diagnose::to_string(incident.kind)},
              {"status", diagnose::to_string(incident.status)},
              {"pool", incident.pool},
              {"replica", incident.replica},
              {"policy", incident.policy},
              {"opened_ms", to_millis(incident.opened_at)}};
    if (!incident.hypotheses.empty()) {
        data["cause"] = incident.hypotheses.front().cause;
        data["why"] = incident.hypotheses.front().summary;
    }
    if (!incident.timeline.empty()) data["last"] = incident.timeline.back().text;
    event.data = dump(data);
    log_.publish(std::move(event));
}

void EventSources::alert(const alert::AlertTransition& transition) {
    const bool fired = transition.kind == alert::AlertTransition::Kind::Fired;
    Event event;
    event.at = transition.at;
    event.type = fired ? "alert.fired" : "alert.resolved";
    const std::string_view severity = transition.labels.get("severity");
    if (fired) event.severity = severity.empty() ? Severity::Warning : outward::severity_from(severity);
    event.subject = transition.name;
    const std::string said = text_of(transition.annotations, "summary");
    event.summary = (fired ? "" : "Over: ") + (said.empty() ? transition.name : said);
    json labels = json::object();
    for (const auto& [name, value] : transition.labels) labels[name] = value;
    event.data = dump({{"alert", transition.name},
                       {"labels", std::move(labels)},
                       {"annotations", transition.annotations},
                       {"value", format_number(transition.value)},
                       {"query", transition.query},
                       {"active_since_ms", to_millis(transition.active_since)}});
    log_.publish(std::move(event));
}

void EventSources::replica(const gateway::ReplicaEvent& replica) {
    using Kind = gateway::ReplicaEvent::Kind;
    Event event;
    event.at = replica.at;
    event.type = "replica.changed";
    if (replica.kind == Kind::Down || replica.kind == Kind::Hung) event.severity = Severity::Warning;
    event.subject = replica.replica;
    event.summary = replica.replica + ": " + std::string(to_string(replica.kind)) +
                    (replica.reason.empty() ? "" : ", " + replica.reason);
    event.data = dump({{"change", to_string(replica.kind)},
                       {"pool", replica.status.pool},
                       {"reason", replica.reason},
                       {"evidence", replica.evidence}});
    log_.publish(std::move(event));
}

void EventSources::degradation(const gateway::DegradationChange& change) {
    Event event;
    event.at = now();
    event.type = "degradation.changed";
    if (change.to > change.from) event.severity = Severity::Warning;
    event.subject = change.pool;
    event.summary = (change.pool.empty() ? "All pools" : change.pool) + ": degradation goes from " +
                    std::string(to_string(change.from)) + " to " + std::string(to_string(change.to)) + ", " +
                    change.why + ".";
    event.data = dump(
        {{"pool", change.pool}, {"from", to_string(change.from)}, {"to", to_string(change.to)}, {"why", change.why}});
    log_.publish(std::move(event));
}

void EventSources::release(const gateway::ReleaseEvent& change) {
    Event event;
    event.at = change.at;
    event.type = "route.changed";
    event.subject = change.name;
    event.summary =
        change.name + ": " + change.kind + " by " + change.by + (change.reason.empty() ? "" : ", " + change.reason);
    event.data = dump(gateway::to_json(change));
    log_.publish(std::move(event));
}

void EventSources::reloaded(const api::ReloadOutcome& outcome) {
    Event event;
    event.at = now();
    const bool good = outcome.problems.empty();
    event.type = good ? "stoker.reloaded" : "stoker.reload_failed";
    event.severity = good ? Severity::Info : Severity::Warning;
    event.summary = good ? "The configuration was reloaded." : "The configuration was refused: " + outcome.problems[0];
    event.data = dump(
        {{"problems", outcome.problems}, {"changed", outcome.changed}, {"restart_needed", outcome.restart_needed}});
    log_.publish(std::move(event));
}

void EventSources::started() {
    Event event;
    event.at = now();
    event.type = "stoker.started";
    event.summary = "Stoker started.";
    event.data = dump({{"version", STOKER_VERSION}});
    log_.publish(std::move(event));
}

}  // namespace stoker::app
