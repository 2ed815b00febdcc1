// The brain: rules, diagnosis, incidents, healing and the supervised engines, connected to each other.
//
// The gateway serves on without it. Thread-safe after start().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "alert/rule_manager.h"
#include "api/live.h"
#include "app/config.h"
#include "app/data_folder.h"
#include "app/event_sources.h"
#include "app/pipelines.h"
#include "app/replica_control.h"
#include "app/storage.h"
#include "base/sync.h"
#include "diagnose/diagnoser.h"
#include "diagnose/incident_book.h"
#include "gateway/gateway.h"
#include "heal/action_log.h"
#include "heal/healer.h"
#include "heal/supervisor.h"
#include "promql/engine.h"

namespace stoker::app {

class Brain;

// The gateway's events on their way to the brain, which is made after the gateway. Thread-safe.
class EventBridge : public gateway::ReplicaObserver {
public:
    void connect(Brain* brain);  // Null: events go nowhere.
    void on_replica_event(const gateway::ReplicaEvent& event) override;

private:
    Mutex mutex_;
    Brain* brain_ GUARDED_BY(mutex_) = nullptr;
};

struct BrainParts {
    const DataFolder& folder;
    Storage& storage;
    const promql::Engine& engine;
    gateway::Gateway& gateway;
    SamplePipeline& samples;
    api::Live& live;
    EventSources& events;
    metrics::Registry& registry;
    bool stop_engines;  // When Stoker ends in good order.
};

class Brain : private heal::ProcessObserver, private diagnose::IncidentObserver {
public:
    // Errors: the state store can't be read, the supervisor can't start.
    static Result<std::unique_ptr<Brain>> create(BrainParts parts, const Config& config);
    ~Brain() override;

    // Starts supervised engines (or adopts those that run), then diagnosis, healing and rules.
    void start(const Config& config, std::vector<alert::RuleGroupSpec> rules);
    void apply(const Config& config, std::vector<alert::RuleGroupSpec> rules);
    // Nothing new is begun after it; engines end if they were to. At most `limit` for those.
    void stop(Duration limit);

    void on_replica_event(const gateway::ReplicaEvent& event);

    diagnose::IncidentBook& book() { return book_; }
    heal::Healer& healer() { return *healer_; }
    heal::Supervisor& supervisor() { return *supervisor_; }
    alert::RuleManager& rules() { return *rules_; }

private:
    Brain(BrainParts parts, const Config& config);
    Result<Unit> build(const Config& config);
    void supervise(const Config& config);

    void on_process_exit(const heal::ProcessExit& exit) override;
    void on_incident(const diagnose::Incident& incident) override;

    BrainParts parts_;
    std::unique_ptr<diagnose::IncidentStore> incident_store_;
    diagnose::IncidentBook book_;
    heal::IncidentJournal incident_journal_;
    std::unique_ptr<heal::ActionLog> actions_;
    std::unique_ptr<heal::Supervisor> supervisor_;
    std::unique_ptr<FleetControl> control_;
    std::shared_ptr<std::atomic<bool>> cancel_ = std::make_shared<std::atomic<bool>>(false);
    std::unique_ptr<heal::Healer> healer_;
    std::unique_ptr<diagnose::Diagnoser> diagnoser_;
    std::unique_ptr<AlertTee> alerts_;
    std::unique_ptr<alert::RuleManager> rules_;
    std::vector<std::string> supervised_;
};

}  // namespace stoker::app
