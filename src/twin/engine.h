// What all sessions of one simulated engine share. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>

#include "base/sync.h"
#include "twin/engine_loop.h"
#include "twin/engine_metrics.h"
#include "twin/faults.h"
#include "twin/profile.h"
#include "twin/sim_engine.h"

namespace stoker::twin {

class Engine {
public:
    Engine(SimOptions given, Profile chosen)
        : options(std::move(given)),
          profile(std::move(chosen)),
          metrics(options.model, profile),
          faults_(options.seed) {}

    // Constant after open().
    const SimOptions options;
    const Profile profile;
    EngineMetrics metrics;
    std::shared_ptr<EngineLoop> loop;  // Null for an instant profile.

    std::atomic<bool> stopping{false};

    // LoRA adapters, loaded while it runs. False: it is there already, or is not.
    bool load_adapter(const std::string& name);
    bool unload_adapter(const std::string& name);
    std::set<std::string> adapters() const;
    bool serves(const std::string& model) const { return model == options.model || adapters().contains(model); }

    SequenceId next_id() { return ++last_id_; }
    void crash() const;

    // {"requests": that came, "left": whose client went away before the end}.
    std::string requests_json() const;
    void client_left() { ++left_; }

    // Faults. Without any set, these cost one load.
    void add_fault(Fault fault);
    bool clear_faults(std::optional<FaultKind> kind);
    std::string faults_json();
    // Counts the request, too.
    RequestFaults draw_faults();
    EngineCondition condition() const;
    bool hung() const { return condition().hung; }
    bool health_hung() const;

private:
    std::atomic<SequenceId> last_id_{0};
    std::atomic<std::uint64_t> requests_{0};
    std::atomic<std::uint64_t> left_{0};
    std::atomic<bool> any_faults_{false};
    mutable Mutex mutex_;
    Faults faults_ GUARDED_BY(mutex_);
    std::set<std::string> adapters_ GUARDED_BY(mutex_);
};

}  // namespace stoker::twin
