// One job: its sources, its targets, and the difference that each news from a source makes.
//
// News are taken at once, and then at most once in a while: a cluster that is busy tells of changes all the time.
// Lives on one loop; report() is thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/sync.h"
#include "collect/discovery/discoverer.h"
#include "collect/discovery/scrape_target.h"

namespace stoker::collect {

struct DroppedTarget {
    std::string job;
    LabelMap discovered;
};

// How a source of a job fares.
struct SourceStatus {
    std::string job;
    std::string kind;
    std::size_t targets = 0;  // Before relabelling.
    SourceHealth health;
    bool asked = false;
};

// What is to be told of jobs.
struct ScrapeReport {
    std::vector<ScrapeTargetStatus> targets;                          // In order of job and URL.
    std::vector<DroppedTarget> dropped;                               // As many as are kept.
    std::vector<std::pair<std::string, std::size_t>> dropped_counts;  // By job, all of them.
    std::vector<SourceStatus> sources;
};

// What all jobs share.
struct ScrapeShared {
    DiscoveryContext discovery;
    SampleSink& sink;
    metrics::Registry& registry;
};

class ScrapePool : public std::enable_shared_from_this<ScrapePool> {
public:
    // Errors: InvalidArgument (relabelling rules, certificates, credentials).
    static Result<std::shared_ptr<ScrapePool>> create(ScrapeConfig config, ScrapeShared shared);

    const ScrapeConfig& config() const { return context_->config; }

    void start();
    void stop();

    void report(ScrapeReport& out) const;

private:
    ScrapePool(ScrapeShared shared, std::shared_ptr<const ScrapeJobContext> context, TargetMaker maker,
               std::vector<std::shared_ptr<Discoverer>> sources);
    static boost::asio::awaitable<void> watch(std::shared_ptr<ScrapePool> self);
    void sync();
    // Every target that the sources tell of, by key; fills what is dropped and what is wrong.
    struct Wanted {
        std::map<std::string, MadeTarget> made;
        std::vector<DroppedTarget> dropped;
        std::size_t dropped_count = 0;
        std::string error;  // The first.
        std::size_t errors = 0;
    };
    Wanted wanted() const;
    void replace(std::map<std::string, MadeTarget> wanted);
    void tell(Wanted& wanted);

    const ScrapeShared shared_;
    const std::shared_ptr<const ScrapeJobContext> context_;
    const TargetMaker maker_;
    const std::vector<std::shared_ptr<Discoverer>> sources_;
    metrics::Gauge& active_gauge_;
    metrics::Gauge& dropped_gauge_;
    metrics::Counter& failures_;
    metrics::Gauge& sync_seconds_;
    Stopper stopper_;
    bool news_ = false;
    std::string told_;  // The problem that was logged last.
    std::map<std::string, std::shared_ptr<ScrapeTarget>> running_;

    struct Shown {
        std::vector<std::shared_ptr<ScrapeTarget>> targets;
        std::vector<DroppedTarget> dropped;
        std::size_t dropped_count = 0;
        std::vector<SourceStatus> sources;
    };
    mutable Mutex mutex_;
    Shown shown_ GUARDED_BY(mutex_);
};

}  // namespace stoker::collect
