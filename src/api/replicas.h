// What the gateway knows of a replica, as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "gateway/upstream/replica_status.h"

namespace stoker::api {

nlohmann::json replica_json(const gateway::ReplicaStatus& replica);

}  // namespace stoker::api
