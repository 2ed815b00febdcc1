// What healing may ask about replicas and do to them, over the gateway, the supervisor and HTTP.
//
// Calls of ReplicaControl block; Fleet's don't. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/config.h"
#include "base/snapshot.h"
#include "gateway/gateway.h"
#include "heal/fleet.h"
#include "heal/supervisor.h"

namespace stoker::app {

// What of the configuration concerns one replica.
struct ReplicaSetup {
    std::string pool;
    std::string url;
    std::string model;  // What to ask the engine for in a probe.
    std::string api_key;
    std::string health_path;
    bool supervised = false;
    std::string systemd;
};
using ReplicaSetups = std::map<std::string, ReplicaSetup>;  // By replica id.

// "chat/127.0.0.1:9001", as the gateway names replicas. Errors: InvalidArgument (no URL).
Result<std::string> replica_id(const std::string& pool, const std::string& url);
ReplicaSetups replica_setups(const Config& config);

class FleetControl : public heal::Fleet, public heal::ReplicaControl {
public:
    // REQUIRES: both outlive it.
    FleetControl(gateway::Gateway& gateway, heal::Supervisor& supervisor)
        : gateway_(gateway), supervisor_(supervisor) {}

    void apply(ReplicaSetups setups);

    heal::ReplicaFacts replica(const std::string& id) const override;
    heal::PoolFacts pool(const std::string& name) const override;

    heal::StepResult eject(const std::string& replica, const std::string& reason, Duration limit) override;
    heal::StepResult readmit(const std::string& replica, Duration limit) override;
    heal::StepResult restart(const std::string& replica, Duration limit) override;
    heal::StepResult healthy(const std::string& replica, Duration limit) override;
    heal::StepResult probe(const std::string& replica, Duration limit) override;

private:
    std::optional<ReplicaSetup> find(const std::string& replica) const;
    std::optional<heal::StepResult> process_ended(const std::string& replica) const;

    gateway::Gateway& gateway_;
    heal::Supervisor& supervisor_;
    Snapshot<ReplicaSetups> setups_;
};

}  // namespace stoker::app
