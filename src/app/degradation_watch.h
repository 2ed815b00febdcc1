// Keeps the gateway's degradation level in step with the metrics, and pins across restarts.
//
// look() from one thread; the rest is thread-safe.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "api/live.h"
#include "base/result.h"
#include "gateway/degrade/degradation_control.h"
#include "promql/engine.h"
#include "state/state_store.h"
#include "tsdb/querier.h"

namespace stoker::app {

class DegradationWatch {
public:
    // All outlive it. Pins that were set before come into force again.
    DegradationWatch(gateway::DegradationControl& control, const promql::Engine& engine, const tsdb::Querier& querier,
                     state::StateStore& state, api::Live& live);

    // Called with each change, beside the live feed. Set it before the first look.
    void on_change(std::function<void(const gateway::DegradationChange&)> tell) { on_change_ = std::move(tell); }

    // Evaluates the conditions if it is time to.
    void look();

    // Sets and takes back a level, and remembers it. Errors: NotFound (nothing is pinned there); of the state store,
    // when the change holds but will not survive a restart.
    Result<Unit> pin(gateway::DegradationPin pin);
    Result<Unit> release(const std::string& pool);

private:
    void tell(const std::vector<gateway::DegradationChange>& changes);
    Result<Unit> save();

    gateway::DegradationControl& control_;
    const promql::Engine& engine_;
    const tsdb::Querier& querier_;
    state::StateStore& state_;
    api::Live& live_;
    std::function<void(const gateway::DegradationChange&)> on_change_;
    SteadyTime next_{};
};

}  // namespace stoker::app
