// The diagnoser: turns signals into incidents with ranked hypotheses, and tells healing about them.
//
// One thread of its own behind a bounded queue. An incident is opened from what the signal itself says, before anything
// is looked up, so that healing begins at once; then metrics are queried and the hypotheses refined. Signals of one
// trouble go into one incident: a replica has at most one that is not over, and an alert about a replica that has one,
// or about a pool with such a replica, becomes a note in it. A circuit that opened again is an alert of the gateway's
// own about its replica, CircuitOpen; it is over when the circuit closes, or when the replica is found down or hung.
// submit() is thread-safe and never blocks.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "alert/rule_group.h"
#include "alert/rule_manager.h"
#include "base/bounded_queue.h"
#include "base/metrics.h"
#include "diagnose/incident_book.h"
#include "diagnose/process_facts.h"
#include "diagnose/signal.h"

namespace stoker::diagnose {

// Hears what became of signals; on the diagnoser's thread. Healing implements it.
class TroubleObserver {
public:
    virtual ~TroubleObserver() = default;
    virtual void on_opened(const Incident& incident) = 0;
    virtual void on_again(const Incident& incident, const std::string& reason) = 0;
    virtual void on_recovered(const Incident& incident, const std::string& reason) = 0;
};

struct DiagnoserOptions {
    Clock clock = now;
    std::size_t queue = 4096;  // Signals past it are refused and counted.
    // An alert that was firing when Stoker ended, and does not fire again within this, is over.
    Duration alert_confirmation{10LL * 60 * 1000};
    // An alert that was noted in an engine's incident and still fires so long after that gets its own. Rules look back
    // over 5 minutes as a rule.
    Duration aftermath{6LL * 60 * 1000};
};

class Diagnoser : public alert::AlertObserver {
public:
    // `processes` and `query` may be null. REQUIRES: all outlive the diagnoser.
    Diagnoser(DiagnoserOptions options, IncidentBook& book, TroubleObserver& healing, const ProcessWatch* processes,
              alert::QueryFn query, metrics::Registry& registry);
    ~Diagnoser() override;  // stop()

    // `unfinished`: what IncidentBook::load() returned.
    void start(const std::vector<Incident>& unfinished);
    void stop();

    // False if the queue is full: the signal is lost, and counted.
    bool submit(Signal signal);

    // Alerts become signals; those with severity "info" or "none" open no incident.
    void on_alert(const alert::AlertTransition& transition) override;

private:
    void run();
    void handle(const Signal& signal);
    void engine_trouble(const Signal& signal);
    void engine_recovered(const Signal& signal);
    void alert_fired(const Signal& signal);
    void open_alert(Incident incident, const Signal& signal);
    void circuit_opened(const Signal& signal);
    void alert_resolved(const std::string& title, const std::string& replica, const std::string& reason);
    void refine(const Incident& incident, std::vector<Observation> observations);
    void end_unconfirmed(Timestamp now);
    void reopen_absorbed(Timestamp now);
    std::optional<ProcessFacts> process_of(const std::string& replica, bool refused) const;
    std::vector<Observation> metric_findings(const std::string& replica, Timestamp at) const;

    const DiagnoserOptions options_;
    IncidentBook& book_;
    TroubleObserver& healing_;
    const ProcessWatch* const processes_;
    const alert::QueryFn query_;
    metrics::Family<metrics::Counter>& signals_;
    metrics::Counter& lost_;
    metrics::Family<metrics::Counter>& incidents_;

    BoundedQueue<Signal> queue_;
    std::map<std::string, Timestamp> unconfirmed_;  // Ids of alert incidents; touched only by thread_ once it runs.
    struct Absorbed {
        std::string incident;  // Id of the engine's incident that has the alert as a note.
        Signal alert;
    };
    std::map<std::string, Absorbed> absorbed_;  // Alerts that fire, by title; touched only by thread_.
    std::thread thread_;
};

}  // namespace stoker::diagnose
