// One target of a job: scraped on its own schedule until told to leave. Lives on the job's loop.
#pragma once

#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/sync.h"
#include "collect/discovery/http_access.h"
#include "collect/discovery/target_labels.h"
#include "collect/scrape/scrape.h"

namespace stoker::collect {

// How a target fares, for pages and the API.
struct ScrapeTargetStatus {
    std::string job;  // The scrape pool: the job's name in the configuration.
    std::string url;
    LabelMap discovered;
    LabelMap labels;
    Duration interval{0};
    Duration timeout{0};
    bool scraped = false;  // At least once.
    bool up = false;
    Timestamp last_scrape{};
    ElapsedTime duration{0};
    std::int64_t samples = 0;
    std::string error;
};

// What the targets of a job share. Constant after construction.
struct ScrapeJobContext {
    boost::asio::io_context& loop;
    SampleSink& sink;
    ScrapeConfig config;
    std::shared_ptr<HttpAccess> access;
    std::shared_ptr<const Relabeler> metric_relabel;
    metrics::Counter& scrapes_ok;
    metrics::Counter& scrapes_failed;
    metrics::Counter& samples;
};

class ScrapeTarget {
public:
    ScrapeTarget(std::shared_ptr<const ScrapeJobContext> context, MadeTarget made);

    const MadeTarget& made() const { return made_; }
    ScrapeTargetStatus status() const;  // Thread-safe.

    static boost::asio::awaitable<void> run(std::shared_ptr<ScrapeTarget> self);
    // The target is no more: its series end.
    void leave() { stopper_.stop(); }

private:
    boost::asio::awaitable<void> round();
    Result<std::size_t> take(Result<Page> page, Timestamp began, ElapsedTime took, Scraped& out);
    void tell(const Result<std::size_t>& samples, Timestamp began, ElapsedTime took);

    const std::shared_ptr<const ScrapeJobContext> context_;
    const MadeTarget made_;
    Scrape scrape_;
    Stopper stopper_;

    mutable Mutex mutex_;
    ScrapeTargetStatus status_ GUARDED_BY(mutex_);  // What changes from scrape to scrape.
};

}  // namespace stoker::collect
