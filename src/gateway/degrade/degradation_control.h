// The degradation level of each pool: from conditions that are fed in, and from people who pin it.
//
// Thread-safe. of() is for every request; while no pool is degraded it costs one atomic load.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/snapshot.h"
#include "base/sync.h"
#include "gateway/degrade/degradation.h"
#include "gateway/degrade/degradation_state.h"

namespace stoker::gateway {

// A level that somebody set; conditions do not matter until it ends.
struct DegradationPin {
    std::string pool;  // Empty: all.
    DegradationLevel level = DegradationLevel::Normal;
    Timestamp until;  // Epoch: until it is taken back.
    std::string by;
    std::string reason;
};

// One value of a condition.
struct DegradationReading {
    std::string condition;
    std::string pool;  // Empty: of all.
    double value = 0;
};

struct DegradationChange {
    std::string pool;  // Empty: of all.
    DegradationLevel from{};
    DegradationLevel to{};
    std::string why;  // "latency is 6.2", "pinned by amy: load test"
};

struct DegradationStatus {
    struct Condition {
        std::string name;
        std::string pool;
        std::optional<double> value;
        DegradationLevel level{};
    };
    struct Scope {
        std::string pool;  // Empty: all.
        DegradationLevel level{};
        Timestamp since;
        std::string why;
    };
    bool enabled = false;
    std::vector<Scope> scopes;  // That of all first.
    std::vector<Condition> conditions;
    std::vector<DegradationPin> pins;
};

class DegradationControl {
public:
    explicit DegradationControl(metrics::Registry& registry);

    // Takes these options; conditions of the same name keep their state, pins stay.
    void configure(DegradationOptions options);
    DegradationOptions options() const;

    // All readings of one look at the conditions; a condition or pool that is missing has no value now.
    std::vector<DegradationChange> observe(const std::vector<DegradationReading>& readings, SteadyTime steady,
                                           Timestamp now);

    // Sets a level, in place of an earlier pin of that pool; release() takes it back and says whether there was one.
    std::vector<DegradationChange> pin(DegradationPin pin, Timestamp now);
    bool release(const std::string& pool, Timestamp now);
    std::vector<DegradationPin> pins() const;

    DegradationStatus status() const;

    // Whether any pool is.
    bool degraded() const { return degraded_.load(std::memory_order_relaxed); }
    // What to do to a request for this pool now; null at level Normal. `level` is set to the level in any case.
    std::shared_ptr<const LevelActions> of(std::string_view pool, std::string_view tenant,
                                           DegradationLevel& level) const;
    void count(DegradationLevel level, std::string_view action);

private:
    struct View {  // What requests read.
        DegradationOptions options;
        std::map<std::string, DegradationLevel, std::less<>> levels;  // By pool; "" is for those that are not there.
    };
    struct Scope {
        DegradationLevel level = DegradationLevel::Normal;
        Timestamp since;
        std::string why;
    };
    using StateKey = std::pair<std::string, std::string>;  // Condition, pool.

    std::vector<DegradationChange> settle(Timestamp now) REQUIRES_LOCK(mutex_);
    Scope wanted(const std::string& pool) const REQUIRES_LOCK(mutex_);
    void publish() REQUIRES_LOCK(mutex_);

    metrics::Family<metrics::Gauge>& level_;
    metrics::Family<metrics::Counter>& actions_;

    std::atomic<bool> degraded_{false};
    Snapshot<View> view_;

    mutable Mutex mutex_;
    DegradationOptions options_ GUARDED_BY(mutex_);
    std::map<StateKey, ConditionState> states_ GUARDED_BY(mutex_);
    std::map<std::string, Scope> scopes_ GUARDED_BY(mutex_);
    std::map<std::string, DegradationPin> pins_ GUARDED_BY(mutex_);  // By pool.
};

}  // namespace stoker::gateway
