// Evaluates rule groups on their intervals, writes what they record, and tells who fires.
//
// Threads of its own, from start() to stop(): several groups are evaluated at a time, each of them by one thread. Each
// group is due at instants that lie on a grid of its interval, moved by a hash of its name so that groups don't all
// come at once; an evaluation that comes late is still of that instant, so that samples are evenly spaced and a restart
// keeps the grid. A group that fell behind catches up on a few instants; those that it can't are counted as missed.
// Public functions are thread-safe and don't wait for an evaluation, except stop().
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "alert/rule_group.h"
#include "base/metrics.h"
#include "base/snapshot.h"
#include "base/sync.h"

namespace stoker::alert {

// Where recorded series and ALERTS go. Thread-safe.
class SampleSink {
public:
    virtual ~SampleSink() = default;
    virtual Result<Unit> write(const std::vector<tsdb::SeriesSample>& samples) = 0;
};

// Hears who fires and who has ceased to, one after the other; must not block for long.
class AlertObserver {
public:
    virtual ~AlertObserver() = default;
    virtual void on_alert(const AlertTransition& transition) = 0;
};

struct RuleManagerOptions {
    Duration default_interval{15'000};
    Duration default_query_offset{0};
    // From where the first rules take up states of alerts; null: from nowhere. Outlives the manager.
    const tsdb::Querier* restore_from = nullptr;
    RestoreOptions restore = {};
    int most_catch_up = 4;  // Instants that a group makes up for at a time.
    int concurrency = 4;    // Groups evaluated at a time, at least 1.
    Clock clock = now;
    std::shared_ptr<std::atomic<bool>> cancel;  // Raised by stop(), for the queries under way; may be null.
};

class RuleManager {
public:
    // `query` runs one PromQL query; see make_query().
    // REQUIRES: sink, observer and registry outlive the manager.
    RuleManager(RuleManagerOptions options, QueryFn query, ExpandFn expand, SampleSink& sink, AlertObserver& observer,
                metrics::Registry& registry);
    ~RuleManager();  // stop()
    RuleManager(const RuleManager&) = delete;
    RuleManager& operator=(const RuleManager&) = delete;

    void start();
    // Ends after the queries under way, which are told to stop.
    void stop();

    // Swaps the rules; alerts whose condition is unchanged keep their states, others end.
    void replace(std::vector<RuleGroupSpec> groups);

    // As of the last evaluation of each group.
    std::shared_ptr<const std::vector<GroupStatus>> status() const { return status_.get(); }

private:
    struct GroupMetrics {
        metrics::Counter* evaluations = nullptr;
        metrics::Counter* failures = nullptr;
        metrics::Counter* iterations = nullptr;
        metrics::Counter* missed = nullptr;
        metrics::Counter* caught_up = nullptr;
        metrics::Gauge* interval = nullptr;
        metrics::Gauge* last_time = nullptr;
        metrics::Gauge* last_duration = nullptr;
        metrics::Gauge* rules = nullptr;
        metrics::Gauge* samples = nullptr;
    };
    struct Scheduled {
        RuleGroup group;
        Timestamp due;
        GroupMetrics metrics;
        double seconds = 0;   // That its last evaluation took.
        GroupStatus shown{};  // As of its last evaluation.
        bool busy = false;    // A thread evaluates it, and nobody else may touch it.
    };
    // All metrics that carry the label rule_group, which is "FILE;GROUP".
    struct Families {
        explicit Families(metrics::Registry& registry);
        GroupMetrics of(const std::string& key);
        void remove(const std::string& key);

        metrics::Family<metrics::Counter>& evaluations;
        metrics::Family<metrics::Counter>& failures;
        metrics::Family<metrics::Counter>& iterations;
        metrics::Family<metrics::Counter>& missed;
        metrics::Family<metrics::Counter>& caught_up;
        metrics::Family<metrics::Gauge>& interval;
        metrics::Family<metrics::Gauge>& last_time;
        metrics::Family<metrics::Gauge>& last_duration;
        metrics::Family<metrics::Gauge>& rules;
        metrics::Family<metrics::Gauge>& samples;
    };

    // What a thread of the manager does next.
    struct Work {
        enum class Kind : std::uint8_t { Evaluate, SwapIn, Stop };
        Kind kind{};
        Scheduled* group = nullptr;              // To evaluate; busy.
        std::vector<RuleGroupSpec> replacement;  // To swap in; all groups stand still.
    };

    void run();
    Work next_work();
    Scheduled* longest_due(Timestamp current) REQUIRES_LOCK(mutex_);
    Duration time_to_next(Timestamp current) const REQUIRES_LOCK(mutex_);
    void release(Scheduled& scheduled);
    void swap_in(std::vector<RuleGroupSpec> groups);
    void evaluate(Scheduled& scheduled);
    void skip_missed(Scheduled& scheduled);
    void restore(std::vector<std::unique_ptr<Scheduled>>& groups, Timestamp current);
    Result<Unit> deliver(const std::vector<tsdb::SeriesSample>& samples);
    void tell(const std::vector<AlertTransition>& transitions);
    void publish() REQUIRES_LOCK(mutex_);

    const RuleManagerOptions options_;
    const QueryFn query_;
    const ExpandFn expand_;
    SampleSink& sink_;
    AlertObserver& observer_;
    Families families_;
    metrics::Counter& write_failures_;
    metrics::Gauge& firing_;

    std::atomic<bool> cancelled_{false};
    Snapshot<std::vector<GroupStatus>> status_;

    Mutex mutex_;
    std::condition_variable_any wake_;
    std::optional<std::vector<RuleGroupSpec>> replacement_ GUARDED_BY(mutex_);
    std::vector<std::unique_ptr<Scheduled>> groups_ GUARDED_BY(mutex_);
    std::size_t busy_ GUARDED_BY(mutex_) = 0;   // Groups that are.
    bool swapping_ GUARDED_BY(mutex_) = false;  // A thread swaps rules in: no group may begin.
    bool stopping_ GUARDED_BY(mutex_) = false;
    bool restored_ = false;  // Touched only by who swaps in.

    Mutex telling_;  // Held while the observer is told.
    std::vector<std::thread> threads_;
};

// The last instant, not after `now`, on the grid of a group's interval.
// REQUIRES: interval > 0.
Timestamp grid_instant(const std::string& file, const std::string& name, Duration interval, Timestamp now);

// A QueryFn over an engine and a store, which gives up when `cancel` (may be null) is raised.
// REQUIRES: engine and store outlive the function.
QueryFn make_query(const promql::Engine& engine, const tsdb::Querier& querier,
                   std::shared_ptr<std::atomic<bool>> cancel = nullptr);

}  // namespace stoker::alert
