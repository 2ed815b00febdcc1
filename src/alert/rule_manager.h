// Evaluates rule groups on their intervals, writes what they record, and tells who fires.
//
// One thread of its own, from start() to stop(). A group that is due while another is evaluated waits; evaluations that
// would be late by a whole interval are skipped and counted. Public functions are thread-safe and don't wait for an
// evaluation, except stop().
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

// Where recorded series and ALERTS go; on the manager's thread.
class SampleSink {
public:
    virtual ~SampleSink() = default;
    virtual Result<Unit> write(const std::vector<tsdb::SeriesSample>& samples) = 0;
};

// Hears who fires and who has ceased to; on the manager's thread, must not block for long.
class AlertObserver {
public:
    virtual ~AlertObserver() = default;
    virtual void on_alert(const AlertTransition& transition) = 0;
};

struct RuleManagerOptions {
    Duration default_interval{15'000};
    Clock clock = now;
    std::shared_ptr<std::atomic<bool>> cancel;  // Raised by stop(), for the query under way; may be null.
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
    // Ends after the query under way, which is told to stop.
    void stop();

    // Swaps the rules; alerts whose condition is unchanged keep their states, others end.
    void replace(std::vector<RuleGroupSpec> groups);

    // As of the last evaluation of each group.
    std::shared_ptr<const std::vector<GroupStatus>> status() const { return status_.get(); }

private:
    struct Scheduled {
        RuleGroup group;
        Timestamp due;
    };

    void run();
    bool wait_until_due();
    void swap_in(std::vector<RuleGroupSpec> groups);
    void evaluate(Scheduled& scheduled);
    void deliver(const std::vector<tsdb::SeriesSample>& samples);
    void tell(const std::vector<AlertTransition>& transitions);
    void publish();

    const RuleManagerOptions options_;
    const QueryFn query_;
    const ExpandFn expand_;
    SampleSink& sink_;
    AlertObserver& observer_;
    metrics::Counter& evaluations_;
    metrics::Counter& failures_;
    metrics::Counter& missed_;
    metrics::Counter& write_failures_;
    metrics::Gauge& firing_;

    std::atomic<bool> cancelled_{false};
    Snapshot<std::vector<GroupStatus>> status_;

    Mutex mutex_;
    std::condition_variable_any wake_;
    std::optional<std::vector<RuleGroupSpec>> replacement_ GUARDED_BY(mutex_);
    bool stopping_ GUARDED_BY(mutex_) = false;

    std::vector<Scheduled> groups_;  // Touched only by thread_.
    std::thread thread_;
};

// A QueryFn over an engine and a store, which gives up when `cancel` (may be null) is raised.
// REQUIRES: engine and store outlive the function.
QueryFn make_query(const promql::Engine& engine, const tsdb::Querier& querier,
                   std::shared_ptr<std::atomic<bool>> cancel = nullptr);

}  // namespace stoker::alert
