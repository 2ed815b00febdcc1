// Keeps the circuits of all replicas going, looks at the pools every `interval` and opens the circuits of outliers
// (outliers.h).
//
// Not thread-safe; Gateway guards it with its mutex.
#pragma once

#include <map>
#include <string>

#include "gateway/core.h"
#include "gateway/route/routes.h"
#include "gateway/upstream/breaker.h"

namespace stoker::gateway {

class OutlierWatch {
public:
    // To be called every second or so.
    void tick(Core& core, const RouteTable& table, SteadyTime now);

private:
    void look(Core& core, const Pool& pool, SteadyTime now);

    std::map<std::string, SteadyTime> next_;         // By pool, of the table of the last tick.
    std::map<std::string, FinishedTotals> earlier_;  // By replica, at the last look.
};

}  // namespace stoker::gateway
