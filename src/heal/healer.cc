#include "heal/healer.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <set>
#include <utility>

#include "base/id.h"
#include "base/log.h"
#include "diagnose/metric_findings.h"

namespace stoker::heal {
namespace {

using diagnose::Incident;
using diagnose::IncidentStatus;

// How far back attempts of earlier processes matter; longer than any sensible policy's window.
constexpr Duration kMemory{24LL * 3600 * 1000};
constexpr Duration kLongestSleep{1'000};  // So that a clock that was set does not stop healing for long.

bool is_action(Step step) {
    return step == Step::Eject || step == Step::Restart || step == Step::Readmit;
}

// True as an alert's expression is: a vector with anything in it, or a scalar that is not 0.
bool holds(const promql::Value& value) {
    if (const auto* vector = std::get_if<promql::Vector>(&value.data)) return !vector->empty();
    if (const auto* scalar = std::get_if<promql::Scalar>(&value.data)) return scalar->sample.value != 0;
    return false;
}

// A query that was asked after every attempt stands there once, with its last answer.
void add_evidence(std::vector<diagnose::Evidence>& list, diagnose::Evidence evidence) {
    std::erase_if(list, [&evidence](const auto& item) { return item.query == evidence.query; });
    list.push_back(std::move(evidence));
}

std::string_view name_of(StepStatus status) {
    return status == StepStatus::Done ? "done" : status == StepStatus::Failed ? "failed" : "not_yet";
}

}  // namespace

Healer::Healer(HealerOptions options, diagnose::IncidentBook& book, const Fleet& fleet, ReplicaControl& control,
               ActionLog& actions, alert::QueryFn query, metrics::Registry& registry)
    : options_(std::move(options)),
      book_(book),
      control_(control),
      actions_(actions),
      query_(std::move(query)),
      steps_(registry.counter("stoker_healing_steps_total", "Steps of healing, by result.", {"step", "result"})),
      ended_(
          registry.counter("stoker_incidents_ended_total", "Incidents that were resolved or escalated.", {"status"})),
      recovery_(registry
                    .histogram("stoker_incident_duration_seconds", "From an incident's opening to its resolution.", {},
                               {1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600})
                    .with()),
      machine_(options_.config, fleet),
      workers_(options_.workers) {}

Healer::~Healer() {
    stop();
}

void Healer::start(const std::vector<Incident>& unfinished) {
    MutexLock lock(mutex_);
    if (running_ || stopping_) return;
    running_ = true;
    take_up(unfinished);
    timer_ = std::thread([this] { run(); });
}

void Healer::stop() {
    {
        MutexLock lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (timer_.joinable()) timer_.join();
    workers_.join();
}

void Healer::set_config(HealingConfig config) {
    MutexLock lock(mutex_);
    machine_.set_config(std::move(config));
}

Result<Incident> Healer::approve(const std::string& incident, std::string_view by, std::string_view comment) {
    return decide(&HealingMachine::approve, incident, by, comment);
}

Result<Incident> Healer::reject(const std::string& incident, std::string_view by, std::string_view comment) {
    return decide(&HealingMachine::reject, incident, by, comment);
}

Result<Incident> Healer::decide(Decide how, const std::string& incident, std::string_view by,
                                std::string_view comment) {
    if (!book_.find(incident)) return Error{Errc::NotFound, "no incident " + incident};
    {
        MutexLock lock(mutex_);
        TRY(auto commands, (machine_.*how)(incident, by, comment, options_.clock()));
        carry_out(std::move(commands));
    }
    const auto after = book_.find(incident);
    if (!after) return Error{Errc::NotFound, "no incident " + incident};
    return *after;
}

void Healer::on_opened(const Incident& incident) {
    MutexLock lock(mutex_);
    carry_out(machine_.opened(incident, options_.clock()));
}

void Healer::on_again(const Incident& incident, const std::string& reason) {
    MutexLock lock(mutex_);
    carry_out(machine_.again(incident, reason, options_.clock()));
}

void Healer::on_recovered(const Incident& incident, const std::string& reason) {
    MutexLock lock(mutex_);
    carry_out(machine_.recovered(incident, reason, options_.clock()));
}

void Healer::run() {
    MutexLock lock(mutex_);
    while (!stopping_) {
        const Timestamp current = options_.clock();
        const auto next = machine_.next_wake();
        if (next && *next <= current) {
            carry_out(machine_.tick(current));
            continue;
        }
        wake_.wait_for(mutex_, next ? std::min(kLongestSleep, *next - current) : kLongestSleep);
    }
}

void Healer::carry_out(Commands commands) {
    for (Command& command : commands) {
        if (auto* report = std::get_if<Report>(&command)) {
            write(std::move(*report));
        } else if (stopping_) {
            continue;  // Not begun, so nothing has to be examined.
        } else if (auto* step = std::get_if<RunStep>(&command)) {
            boost::asio::post(workers_, [this, run = std::move(*step)] { do_step(run); });
        } else if (auto* query = std::get_if<RunQuery>(&command)) {
            boost::asio::post(workers_, [this, run = std::move(*query)] { do_query(run); });
        }
    }
    wake_.notify_all();
}

void Healer::write(Report report) {
    log::info(report.entry.text, {{"incident", report.incident},
                                  {"phase", diagnose::to_string(report.entry.phase)},
                                  {"actor", report.entry.actor},
                                  {"ok", report.entry.ok}});
    const Timestamp at = report.entry.at;
    bool resolved = false;
    const auto updated = book_.update(report.incident, at, [&report, &resolved, at](Incident& incident) {
        if (!report.policy.empty()) incident.policy = report.policy;
        if (report.status) {
            incident.status = *report.status;
            resolved = *report.status == IncidentStatus::Resolved;
            incident.resolved_at = resolved ? at : Timestamp{};
        }
        if (report.evidence && !incident.hypotheses.empty()) {
            add_evidence(incident.hypotheses.front().evidence, std::move(*report.evidence));
        }
        incident.timeline.push_back(std::move(report.entry));
    });
    if (!updated) {
        log::error("incident could not be changed",
                   {{"incident", report.incident}, {"error", updated.error().message}});
        return;
    }
    if (resolved) recovery_.observe(static_cast<double>((at - updated->opened_at).count()) / 1000);
    if (resolved || report.status == IncidentStatus::Escalated) {
        ended_.with({std::string(diagnose::to_string(*report.status))}).add();
    }
}

void Healer::do_step(const RunStep& run) {
    {
        MutexLock lock(mutex_);
        if (stopping_) return;
    }
    ActionIntent intent{make_id("act_"), run.incident, run.replica,     run.policy,
                        run.step,        run.attempt,  options_.clock()};
    StepResult result;
    const auto begun = is_action(run.step) ? actions_.begin(intent) : Result<Unit>(Unit{});
    if (begun) {
        result = execute(run);
        if (is_action(run.step)) {
            const ActionEnd end = result.status == StepStatus::Done ? ActionEnd::Succeeded : ActionEnd::Failed;
            if (const auto finished = actions_.finish(intent, end, result.detail, options_.clock()); !finished) {
                log::error("result of an action could not be stored",
                           {{"action", intent.id}, {"error", finished.error().message}});
            }
        }
    } else {
        // Nothing is done that could not be recorded first.
        result = {StepStatus::Failed, "the intent could not be recorded: " + begun.error().message};
    }
    if (result.status != StepStatus::NotYet) {
        steps_.with({std::string(to_string(run.step)), std::string(name_of(result.status))}).add();
    }
    MutexLock lock(mutex_);
    carry_out(machine_.step_done(run.token, result, options_.clock()));
}

StepResult Healer::execute(const RunStep& run) {
    switch (run.step) {
        case Step::Eject:
            return control_.eject(run.replica, run.reason, run.limit);
        case Step::Restart:
            return control_.restart(run.replica, run.limit);
        case Step::WaitHealthy:
            return control_.healthy(run.replica, run.limit);
        case Step::Probe:
            return control_.probe(run.replica, run.limit);
        case Step::Readmit:
            return control_.readmit(run.replica, run.limit);
    }
    return {StepStatus::Failed, "unknown step"};
}

void Healer::do_query(const RunQuery& run) {
    bool normal = false;
    std::string detail = "there is no query engine";
    if (query_) {
        const auto value = query_(run.query, options_.clock());
        normal = value.has_value() && holds(*value);
        detail = value ? diagnose::show(*value) : "an error: " + value.error().message;
    }
    MutexLock lock(mutex_);
    carry_out(machine_.query_done(run.token, normal, detail, options_.clock()));
}

void Healer::take_up(const std::vector<Incident>& unfinished) {
    const Timestamp current = options_.clock();
    auto records = actions_.since(current - kMemory);
    if (!records) {
        log::error("earlier actions can't be read", {{"error", records.error().message}});
        records = std::vector<ActionRecord>{};
    }
    std::set<std::pair<std::string, std::int64_t>> counted;
    std::map<std::string, std::vector<PastAction>> by_incident;
    for (const ActionRecord& record : *records) {
        const ActionIntent& intent = record.intent;
        // An attempt counts once. Steps of watching (attempt 0 or readmit alone) are no attempts.
        if (intent.step != Step::Readmit && counted.emplace(intent.incident, intent.attempt).second) {
            machine_.remember_attempt(intent.replica, intent.at);
        }
        by_incident[intent.incident].push_back({intent.step, intent.attempt, intent.at, record.finished});
        if (record.finished) continue;
        const auto ended = actions_.finish(intent, ActionEnd::Abandoned, "Stoker ended before the result", current);
        if (!ended) log::error("action could not be closed", {{"action", intent.id}, {"error", ended.error().message}});
    }
    for (const Incident& incident : unfinished)
        carry_out(machine_.restore(incident, by_incident[incident.id], current));
}

}  // namespace stoker::heal
