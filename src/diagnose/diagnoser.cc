#include "diagnose/diagnoser.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "diagnose/failure_modes.h"
#include "diagnose/metric_findings.h"
#include "tsdb/labels.h"

namespace stoker::diagnose {
namespace {

constexpr std::chrono::seconds kWake{1};          // For what depends on time alone.
constexpr std::chrono::milliseconds kDying{200};  // From the first refused connection to the end of the process.
constexpr std::chrono::milliseconds kDyingPoll{10};

std::string_view name_of(Signal::Kind kind) {
    constexpr std::array<std::string_view, 7> kNames{"engine_down",   "engine_hung",    "engine_recovered",
                                                     "alert_fired",   "alert_resolved", "circuit_opened",
                                                     "circuit_closed"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::string percent(double share) {
    return std::to_string(static_cast<int>(share * 100 + 0.5)) + " %";
}

TimelineEntry diagnosis(const Hypothesis& best, Timestamp at) {
    std::string text = best.summary;
    if (text.ends_with('.')) text.pop_back();
    text += " (" + best.cause + ", confidence " + percent(best.confidence) + ").";
    if (!best.evidence.empty()) text += " " + best.evidence.front().text;
    return {at, Phase::Diagnose, std::move(text), "diagnosis", true};
}

// The same words as the supervisor's log: "chat/a is down: its process exited with code 137 (as after SIGKILL)".
std::string title_of(const Signal& signal, const std::optional<ProcessFacts>& process) {
    if (process && !process->running) {
        const std::string how = how_it_ended(process->exit_known, process->exit_code, process->exit_signal);
        return signal.replica + " is down: its process " + how;
    }
    if (process && process->stopped) return signal.replica + " hangs: its process is stopped";
    return signal.replica + (signal.kind == Signal::Kind::EngineHung ? " hangs" : " is down");
}

Incident engine_incident(const Signal& signal, const std::optional<ProcessFacts>& process) {
    Incident incident;
    incident.kind = signal.kind == Signal::Kind::EngineHung ? IncidentKind::EngineHung : IncidentKind::EngineDown;
    incident.severity = "critical";
    incident.title = title_of(signal, process);
    incident.replica = signal.replica;
    incident.pool = signal.pool;
    incident.opened_at = signal.at;
    std::string text = signal.reason;
    if (!signal.evidence.empty()) text += ": " + join(signal.evidence, "; ");
    incident.timeline.push_back({signal.at, Phase::Detect, std::move(text), signal.source, true});
    return incident;
}

std::string circuit_title(const Signal& signal) {
    return "CircuitOpen" + tsdb::Labels{{"pool", signal.pool}, {"replica", signal.replica}}.text();
}

// What its clients meet is known from their requests; why it fails, the engine's own log may say.
Incident circuit_incident(const Signal& signal) {
    Incident incident;
    incident.kind = IncidentKind::Alert;
    incident.severity = "warning";
    incident.title = circuit_title(signal);
    incident.replica = signal.replica;
    incident.pool = signal.pool;
    incident.opened_at = signal.at;
    std::string text = signal.replica + " fails requests and is left alone: " + signal.reason;
    if (!signal.evidence.empty()) text += " (" + join(signal.evidence, "; ") + ")";
    incident.timeline.push_back({signal.at, Phase::Detect, std::move(text), signal.source, true});
    Hypothesis why{"replica_fails_requests", "It answers its health checks and fails requests.", 1, {}};
    for (const Observation& item : signal.findings) {
        if (item.finding == Finding::HealthOk && !item.seen) why.summary = "It fails requests, and its health checks.";
        if (item.seen) why.evidence.push_back(item.evidence);
    }
    const std::string attempts =
        "sum by (result) (increase(stoker_gateway_attempts_total{replica=\"" + signal.replica + "\"}[5m]))";
    for (const std::string& seen : signal.evidence) why.evidence.push_back({seen, attempts, ""});
    incident.hypotheses.push_back(std::move(why));
    return incident;
}

bool said_already(const Incident& incident, const std::string& text) {
    return std::any_of(incident.timeline.begin(), incident.timeline.end(),
                       [&text](const TimelineEntry& entry) { return entry.text.find(text) != std::string::npos; });
}

}  // namespace

Diagnoser::Diagnoser(DiagnoserOptions options, IncidentBook& book, TroubleObserver& healing,
                     const ProcessWatch* processes, alert::QueryFn query, metrics::Registry& registry)
    : options_(std::move(options)),
      book_(book),
      healing_(healing),
      processes_(processes),
      query_(std::move(query)),
      signals_(registry.counter("stoker_signals_total", "Signals of trouble, by kind.", {"kind"})),
      lost_(registry.counter("stoker_signals_lost_total", "Signals refused because the queue was full.").with()),
      incidents_(registry.counter("stoker_incidents_total", "Incidents opened, by kind.", {"kind"})),
      queue_(options_.queue, WhenFull::Refuse) {}

Diagnoser::~Diagnoser() {
    stop();
}

void Diagnoser::start(const std::vector<Incident>& unfinished) {
    if (thread_.joinable()) return;
    for (const Incident& incident : unfinished) {
        if (incident.kind == IncidentKind::Alert) {
            unconfirmed_[incident.id] = options_.clock() + options_.alert_confirmation;
        }
    }
    thread_ = std::thread([this] { run(); });
}

void Diagnoser::stop() {
    queue_.close();
    if (thread_.joinable()) thread_.join();
}

bool Diagnoser::submit(Signal signal) {
    signals_.with({std::string(name_of(signal.kind))}).add();
    if (queue_.push(std::move(signal))) return true;
    lost_.add();
    return false;
}

void Diagnoser::on_alert(const alert::AlertTransition& transition) {
    Signal signal;
    const bool fired = transition.kind == alert::AlertTransition::Kind::Fired;
    signal.kind = fired ? Signal::Kind::AlertFired : Signal::Kind::AlertResolved;
    signal.source = "rules";
    signal.replica = std::string(transition.labels.get("replica"));
    signal.pool = std::string(transition.labels.get("pool"));
    signal.at = transition.at;
    signal.severity = std::string(transition.labels.get("severity"));
    signal.title = transition.name + transition.labels.without({"alertname", "severity"}).text();
    const auto summary = transition.annotations.find("summary");
    signal.reason = summary == transition.annotations.end() ? transition.name : summary->second;
    signal.query = transition.query;
    signal.value = format_number(transition.value);
    submit(std::move(signal));
}

void Diagnoser::run() {
    while (true) {
        auto signal = queue_.pop(std::chrono::steady_clock::now() + kWake);
        if (signal) {
            handle(*signal);
        } else if (queue_.closed()) {
            return;
        }
        end_unconfirmed(options_.clock());
        reopen_absorbed(options_.clock());
    }
}

void Diagnoser::handle(const Signal& signal) {
    switch (signal.kind) {
        case Signal::Kind::EngineDown:
        case Signal::Kind::EngineHung:
            return engine_trouble(signal);
        case Signal::Kind::EngineRecovered:
            return engine_recovered(signal);
        case Signal::Kind::AlertFired:
            return alert_fired(signal);
        case Signal::Kind::AlertResolved:
            return alert_resolved(signal.title, signal.replica, "the alert fires no more");
        case Signal::Kind::CircuitOpened:
            return circuit_opened(signal);
        case Signal::Kind::CircuitClosed:
            return alert_resolved(circuit_title(signal), signal.replica, signal.reason);
    }
}

void Diagnoser::engine_trouble(const Signal& signal) {
    const bool known = book_.open_for_replica(signal.replica).has_value();
    const auto process = process_of(signal.replica, !known && speaks_of_refusal(signal));
    std::vector<Observation> observations =
        gather(signal, process ? process_findings(*process) : std::vector<Observation>{});
    Incident incident = engine_incident(signal, process);
    incident.hypotheses = rank(observations);
    const Timestamp at = std::max(signal.at, options_.clock());
    incident.timeline.push_back(diagnosis(incident.hypotheses.front(), at));
    const auto opened = book_.open(std::move(incident), at);
    if (!opened.created) {
        if (!said_already(opened.incident, signal.reason)) {
            (void)book_.note(opened.incident.id, {at, Phase::Note, "Also: " + signal.reason, signal.source, true});
        }
        return healing_.on_again(opened.incident, signal.reason);
    }
    incidents_.with({std::string(to_string(opened.incident.kind))}).add();
    log::warn("incident opened", {{"incident", opened.incident.id},
                                  {"kind", to_string(opened.incident.kind)},
                                  {"replica", signal.replica},
                                  {"cause", opened.incident.hypotheses.front().cause},
                                  {"reason", signal.reason}});
    healing_.on_opened(opened.incident);
    refine(opened.incident, std::move(observations));
    alert_resolved(circuit_title(signal), signal.replica, "the replica has an incident of its own now");
}

// Asks the metrics, now that healing is under way.
void Diagnoser::refine(const Incident& incident, std::vector<Observation> observations) {
    std::vector<Observation> more = metric_findings(incident.replica, options_.clock());
    const bool has_work = std::any_of(observations.begin(), observations.end(), [](const Observation& item) {
        return item.finding == Finding::NoProgress && item.seen;
    });
    // An idle engine's counter stands still as well.
    if (!has_work) std::erase_if(more, [](const auto& item) { return item.finding == Finding::CountersStill; });
    if (more.empty()) return;
    for (Observation& seen : more) observations.push_back(std::move(seen));
    std::vector<Hypothesis> ranked = rank(observations);
    const Timestamp at = options_.clock();
    (void)book_.update(incident.id, at, [&ranked, &incident, at](Incident& changed) {
        if (ranked.front().cause != incident.hypotheses.front().cause) {
            changed.timeline.push_back(diagnosis(ranked.front(), at));
        }
        changed.hypotheses = std::move(ranked);
    });
}

void Diagnoser::engine_recovered(const Signal& signal) {
    if (const auto incident = book_.open_for_replica(signal.replica)) healing_.on_recovered(*incident, signal.reason);
}

void Diagnoser::alert_fired(const Signal& signal) {
    if (signal.severity == "info" || signal.severity == "none") return;
    const auto engine =
        signal.replica.empty() ? book_.open_for_pool(signal.pool) : book_.open_for_replica(signal.replica);
    if (engine) {
        absorbed_.insert_or_assign(signal.title, Absorbed{engine->id, signal});
        const std::string text = "Alert " + signal.title + ": " + signal.reason;
        (void)book_.note(engine->id, {signal.at, Phase::Note, text, signal.source, true});
        return;
    }
    Incident incident;
    incident.kind = IncidentKind::Alert;
    incident.severity = signal.severity.empty() ? "warning" : signal.severity;
    incident.title = signal.title;
    incident.replica = signal.replica;
    incident.pool = signal.pool;
    incident.opened_at = signal.at;
    incident.timeline.push_back({signal.at, Phase::Detect, signal.reason, signal.source, true});
    // The rule is the diagnosis: it says what it saw, and no table knows why.
    incident.hypotheses.push_back(
        {"alert", signal.reason, 1, {{"The rule's expression is true", signal.query, signal.value}}});
    open_alert(std::move(incident), signal);
}

void Diagnoser::circuit_opened(const Signal& signal) {
    const auto engine = book_.open_for_replica(signal.replica);
    if (!engine) return open_alert(circuit_incident(signal), signal);
    (void)book_.note(engine->id, {signal.at, Phase::Note, "Its circuit opened: " + signal.reason, signal.source, true});
}

void Diagnoser::open_alert(Incident incident, const Signal& signal) {
    const auto opened = book_.open(std::move(incident), std::max(signal.at, options_.clock()));
    unconfirmed_.erase(opened.incident.id);
    if (!opened.created) return healing_.on_again(opened.incident, signal.reason);
    incidents_.with({std::string(to_string(opened.incident.kind))}).add();
    log::warn("incident opened",
              {{"incident", opened.incident.id}, {"kind", "alert"}, {"title", opened.incident.title}});
    healing_.on_opened(opened.incident);
}

void Diagnoser::alert_resolved(const std::string& title, const std::string& replica, const std::string& reason) {
    absorbed_.erase(title);
    for (const Incident& incident : book_.list({.only_open = true, .limit = SIZE_MAX})) {
        if (incident.kind != IncidentKind::Alert || incident.title != title || incident.replica != replica) continue;
        healing_.on_recovered(incident, reason);
    }
}

void Diagnoser::end_unconfirmed(Timestamp now) {
    for (auto it = unconfirmed_.begin(); it != unconfirmed_.end();) {
        if (now < it->second) {
            ++it;
            continue;
        }
        const auto incident = book_.find(it->first);
        it = unconfirmed_.erase(it);
        if (incident && !is_over(*incident))
            healing_.on_recovered(*incident, "the alert has not fired since the restart");
    }
}

// An alert that outlives the incident it was noted in has another cause, or was not its consequence at all.
void Diagnoser::reopen_absorbed(Timestamp now) {
    std::vector<Signal> outlived;
    for (auto it = absorbed_.begin(); it != absorbed_.end();) {
        const auto incident = book_.find(it->second.incident);
        const bool lasts = incident && (!is_over(*incident) || now < incident->resolved_at + options_.aftermath);
        if (lasts) {
            ++it;
            continue;
        }
        outlived.push_back(std::move(it->second.alert));
        it = absorbed_.erase(it);
    }
    for (const Signal& alert : outlived) alert_fired(alert);
}

// Where connections are refused, a process that is still there may be in the midst of its end: its sockets go first.
std::optional<ProcessFacts> Diagnoser::process_of(const std::string& replica, bool refused) const {
    if (processes_ == nullptr) return std::nullopt;
    auto facts = processes_->process_of(replica);
    const auto deadline = std::chrono::steady_clock::now() + kDying;
    while (refused && facts && facts->running && !facts->stopped && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(kDyingPoll);
        facts = processes_->process_of(replica);
    }
    return facts;
}

std::vector<Observation> Diagnoser::metric_findings(const std::string& replica, Timestamp at) const {
    return ask_metrics(query_, replica, at);
}

}  // namespace stoker::diagnose
