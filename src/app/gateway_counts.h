// What the gateway counts of each replica, for the inspection of engines' own numbers: a copy that is a second old at
// most, because every target asks for it at each of its scrapes.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sync.h"
#include "base/time.h"
#include "collect/engine/finding.h"
#include "gateway/upstream/replica_status.h"

namespace stoker::app {

// Thread-safe.
class GatewayCounts {
public:
    using Statuses = std::function<std::vector<gateway::ReplicaStatus>()>;

    explicit GatewayCounts(Statuses statuses) : statuses_(std::move(statuses)) {}

    // Nothing for a replica that the gateway does not know.
    std::optional<collect::GatewayCount> of(std::string_view replica, SteadyTime now);

private:
    const Statuses statuses_;
    Mutex mutex_;
    std::map<std::string, collect::GatewayCount, std::less<>> counts_ GUARDED_BY(mutex_);
    std::optional<SteadyTime> taken_ GUARDED_BY(mutex_);
};

}  // namespace stoker::app
