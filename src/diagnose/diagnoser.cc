#include "diagnose/diagnoser.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "diagnose/failure_modes.h"
#include "diagnose/metric_findings.h"

namespace stoker::diagnose {
namespace {

constexpr std::chrono::seconds kWake{1};  // For what depends on time alone.

std::string_view name_of(Signal::Kind kind) {
    constexpr std::array<std::string_view, 5> kNames{"engine_down", "engine_hung", "engine_recovered", "alert_fired",
                                                     "alert_resolved"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::string percent(double share) {
    return std::to_string(static_cast<int>(share * 100 + 0.5)) + " %";
}

TimelineEntry diagnosis(const Hypothesis& best, Timestamp at) {
    std::string text = best.summary + " (" + best.cause + ", confidence " + percent(best.confidence) + ")";
    if (!best.evidence.empty()) text += ". " + best.evidence.front().text;
    return {at, Phase::Diagnose, std::move(text), "diagnosis", true};
}

Incident engine_incident(const Signal& signal) {
    Incident incident;
    incident.kind = signal.kind == Signal::Kind::EngineHung ? IncidentKind::EngineHung : IncidentKind::EngineDown;
    incident.severity = "critical";
    incident.title = signal.replica + (signal.kind == Signal::Kind::EngineHung ? " hangs" : " is down");
    incident.replica = signal.replica;
    incident.pool = signal.pool;
    incident.opened_at = signal.at;
    std::string text = signal.reason;
    if (!signal.evidence.empty()) text += " [" + join(signal.evidence, "; ") + "]";
    incident.timeline.push_back({signal.at, Phase::Detect, std::move(text), signal.source, true});
    return incident;
}

bool is_crash(int number) {
    return number == SIGSEGV || number == SIGABRT || number == SIGBUS || number == SIGILL || number == SIGFPE;
}

std::string how_it_ended(const ProcessFacts& facts) {
    std::string text = "Process " + std::to_string(facts.pid) + " ended";
    if (!facts.exit_known) return text;
    if (facts.exit_signal == 0) return text + " with code " + std::to_string(facts.exit_code);
    const char* name = sigabbrev_np(facts.exit_signal);
    text += " by signal " + std::to_string(facts.exit_signal);
    return name == nullptr ? text : text + " (SIG" + name + ")";
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
    }
}

void Diagnoser::engine_trouble(const Signal& signal) {
    std::vector<Observation> observations = signal.findings;
    for (Observation& seen : process_findings(signal.replica)) observations.push_back(std::move(seen));
    Incident incident = engine_incident(signal);
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
}

// Asks the metrics, now that healing is under way.
void Diagnoser::refine(const Incident& incident, std::vector<Observation> observations) {
    std::vector<Observation> more = metric_findings(incident.replica, options_.clock());
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
    const std::string text = "Alert " + signal.title + ": " + signal.reason;
    if (!signal.replica.empty()) {
        if (const auto known = book_.open_for_replica(signal.replica)) {
            (void)book_.note(known->id, {signal.at, Phase::Note, text, signal.source, true});
            return;
        }
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
    const auto opened = book_.open(std::move(incident), std::max(signal.at, options_.clock()));
    unconfirmed_.erase(opened.incident.id);
    if (!opened.created) return healing_.on_again(opened.incident, signal.reason);
    incidents_.with({std::string(to_string(opened.incident.kind))}).add();
    log::warn("incident opened", {{"incident", opened.incident.id}, {"kind", "alert"}, {"title", signal.title}});
    healing_.on_opened(opened.incident);
}

void Diagnoser::alert_resolved(const std::string& title, const std::string& replica, const std::string& reason) {
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

std::vector<Observation> Diagnoser::process_findings(const std::string& replica) const {
    std::vector<Observation> found;
    const auto facts = processes_ == nullptr ? std::nullopt : processes_->process_of(replica);
    if (!facts) return found;
    const auto add = [&found](Finding finding, bool seen, const std::string& text) {
        found.push_back({finding, seen, {text, "", ""}});
    };
    const std::string pid = "Process " + std::to_string(facts->pid);
    if (facts->running) {
        add(Finding::ProcessGone, false, pid + (facts->stopped ? " is there, but stopped" : " is running"));
        add(Finding::ProcessStopped, facts->stopped,
            pid + (facts->stopped ? " is stopped by a signal" : " is not stopped"));
        return found;
    }
    std::string ended = how_it_ended(*facts);
    if (!facts->last_output.empty()) ended += "; its last line was: " + facts->last_output;
    add(Finding::ProcessGone, true, ended);
    if (facts->exit_known) {
        add(Finding::KilledBySigkill, facts->exit_signal == SIGKILL, ended);
        add(Finding::CrashSignal, is_crash(facts->exit_signal), ended);
        add(Finding::ExitedWithError, facts->exit_signal == 0 && facts->exit_code != 0, ended);
    }
    return found;
}

std::vector<Observation> Diagnoser::metric_findings(const std::string& replica, Timestamp at) const {
    return ask_metrics(query_, replica, at);
}

}  // namespace stoker::diagnose
