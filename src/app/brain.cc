#include "app/brain.h"

#include "alert/template.h"
#include "app/config_convert.h"
#include "base/log.h"

namespace stoker::app {
namespace {

// Empty: what somebody decided is no trouble, and healing's own part stands in its incident's timeline already.
std::optional<diagnose::Signal::Kind> kind_of(const gateway::ReplicaEvent& event) {
    switch (event.kind) {
        case gateway::ReplicaEvent::Kind::Down:
            return diagnose::Signal::Kind::EngineDown;
        case gateway::ReplicaEvent::Kind::Hung:
            return diagnose::Signal::Kind::EngineHung;
        case gateway::ReplicaEvent::Kind::Recovered:
            return diagnose::Signal::Kind::EngineRecovered;
        case gateway::ReplicaEvent::Kind::Opened:
            // Once may be a hiccup that is over when it is tried again.
            if (event.status.openings < 2) return {};
            return diagnose::Signal::Kind::CircuitOpened;
        case gateway::ReplicaEvent::Kind::Closed:
            return diagnose::Signal::Kind::CircuitClosed;
        default:
            return {};
    }
}

}  // namespace

void EventBridge::connect(Brain* brain) {
    MutexLock lock(mutex_);
    brain_ = brain;
}

void EventBridge::on_replica_event(const gateway::ReplicaEvent& event) {
    MutexLock lock(mutex_);
    if (brain_ != nullptr) brain_->on_replica_event(event);
}

Brain::Brain(BrainParts parts, const Config&)
    : parts_(parts),
      incident_store_(diagnose::make_incident_store(*parts.storage.state)),
      book_(incident_store_.get()),
      incident_journal_(*parts.storage.journal),
      actions_(parts.events.watch(heal::make_action_log(*parts.storage.state, parts.storage.journal.get()))) {}

Brain::~Brain() = default;

Result<std::unique_ptr<Brain>> Brain::create(BrainParts parts, const Config& config) {
    std::unique_ptr<Brain> brain(new Brain(parts, config));
    TRY_UNIT(brain->build(config));
    return brain;
}

Result<Unit> Brain::build(const Config& config) {
    heal::SupervisorOptions options;
    options.directory = parts_.folder.at("engines");
    options.on_exit = parts_.stop_engines ? heal::OnExit::Stop : heal::OnExit::Leave;
    TRY(supervisor_, heal::Supervisor::create(options, this, parts_.registry));
    control_ = std::make_unique<FleetControl>(parts_.gateway, *supervisor_);

    auto query = alert::make_query(parts_.engine, *parts_.storage.metrics, cancel_);
    heal::HealerOptions healing_options;
    healing_options.config = healing(config);
    healer_ =
        std::make_unique<heal::Healer>(healing_options, book_, *control_, *control_, *actions_, query, parts_.registry);
    diagnoser_ = std::make_unique<diagnose::Diagnoser>(diagnose::DiagnoserOptions{}, book_, *healer_, supervisor_.get(),
                                                       query, parts_.registry);
    alerts_ = std::make_unique<AlertTee>(parts_.events, *diagnoser_);
    alert::RuleManagerOptions rule_options;
    rule_options.default_interval = config.rules.interval;
    rule_options.default_query_offset = config.rules.query_offset;
    rule_options.concurrency = static_cast<int>(config.rules.concurrency);
    rule_options.cancel = cancel_;
    rule_options.restore_from = parts_.storage.metrics.get();
    alert::ExpanderOptions template_options;
    template_options.query = query;
    template_options.external_labels = config.external_labels;
    template_options.external_url = external_url(config);
    auto expander = std::make_shared<const alert::Expander>(std::move(template_options));
    const alert::ExpandFn expand = [expander](std::string_view text, const alert::AlertData& data) {
        return expander->expand(text, data);
    };
    rules_ =
        std::make_unique<alert::RuleManager>(rule_options, query, expand, parts_.samples, *alerts_, parts_.registry);
    return Unit{};
}

void Brain::start(const Config& config, std::vector<alert::RuleGroupSpec> rules) {
    book_.add_observer(&incident_journal_);
    book_.add_observer(this);
    book_.add_observer(&parts_.events);
    auto unfinished = book_.load();
    if (!unfinished) log::error("incidents could not be loaded", {{"error", unfinished.error().message}});
    if (unfinished) {
        for (const auto& incident : *unfinished) parts_.events.know(incident);
    }
    control_->apply(replica_setups(config));
    supervise(config);
    healer_->start(unfinished ? *unfinished : std::vector<diagnose::Incident>{});
    diagnoser_->start(unfinished ? *unfinished : std::vector<diagnose::Incident>{});
    rules_->replace(std::move(rules));
    rules_->start();
}

void Brain::apply(const Config& config, std::vector<alert::RuleGroupSpec> rules) {
    control_->apply(replica_setups(config));
    supervise(config);
    healer_->set_config(healing(config));
    rules_->replace(std::move(rules));
}

void Brain::stop(Duration limit) {
    cancel_->store(true);
    rules_->stop();
    diagnoser_->stop();
    supervisor_->cancel();
    healer_->stop();
    supervisor_->shutdown(limit);
}

void Brain::supervise(const Config& config) {
    std::vector<std::string> wanted;
    for (const auto& pool : config.pools) {
        for (const auto& replica : pool.replicas) {
            auto id = replica_id(pool.name, replica.url);
            if (!id || replica.run.empty()) continue;
            wanted.push_back(*id);
            heal::ProcessSpec spec;
            spec.id = *id;
            spec.command = replica.run;
            spec.environment = replica.env;
            spec.directory = config.folder;
            auto running = supervisor_->ensure_running(std::move(spec));
            if (!running) log::error("engine not started", {{"replica", *id}, {"error", running.error().message}});
        }
    }
    for (const auto& id : supervised_) {
        if (std::find(wanted.begin(), wanted.end(), id) == wanted.end()) supervisor_->forget(id);
    }
    supervised_ = std::move(wanted);
}

void Brain::on_replica_event(const gateway::ReplicaEvent& event) {
    parts_.events.replica(event);
    const auto kind = kind_of(event);
    if (!kind) return;
    diagnose::Signal signal;
    signal.kind = *kind;
    signal.source = "gateway";
    signal.replica = event.replica;
    signal.pool = event.status.pool;
    signal.at = event.at;
    signal.reason = event.reason;
    signal.evidence = event.evidence;
    bool stalled = event.kind == gateway::ReplicaEvent::Kind::Hung && event.status.outstanding > 0;
    signal.findings = diagnose::from_health(event.status.health_ok, event.status.health_detail, stalled);
    diagnoser_->submit(std::move(signal));
}

void Brain::on_process_exit(const heal::ProcessExit& exit) {
    auto told = parts_.gateway.hint_down(exit.id, exit.text);
    if (!told) log::warn("engine ended that the gateway does not know", {{"replica", exit.id}, {"what", exit.text}});
}

void Brain::on_incident(const diagnose::Incident& incident) {
    parts_.live.publish("incident", diagnose::to_json(incident));
}

}  // namespace stoker::app
