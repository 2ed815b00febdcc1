// What all sessions of one simulated engine share. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>

#include "base/sync.h"
#include "twin/dialect.h"
#include "twin/engine_loop.h"
#include "twin/engine_metrics.h"
#include "twin/faults.h"
#include "twin/profile.h"
#include "twin/sim_engine.h"

namespace stoker::twin {

class Engine {
public:
    Engine(SimOptions given, Profile chosen, Dialect spoken)
        : options(std::move(given)),
          profile(std::move(chosen)),
          dialect(spoken),
          metrics(options.model, profile),
          faults_(options.seed) {}

    // Constant after open().
    const SimOptions options;
    const Profile profile;
    const Dialect dialect;
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

    // What its endpoints say of it.
    DialectFacts facts() const;
    // Its metrics page in its dialect, bad if a fault says so.
    struct MetricsPage {
        int status = 200;
        bool json = false;
        std::string body;
    };
    MetricsPage metrics_page();

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
    std::uint64_t pages_ GUARDED_BY(mutex_) = 0;  // Since its metrics are bad.
    std::string frozen_ GUARDED_BY(mutex_);       // The page that a frozen one shows.
};

}  // namespace stoker::twin
