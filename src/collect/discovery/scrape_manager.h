// The jobs of the configuration's scrape_configs, on a loop of their own: thousands of pages to read and relabel must
// not stand in the way of requests.
//
// Thread-safe.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/sync.h"
#include "collect/discovery/scrape_pool.h"
#include "net/loops.h"

namespace stoker::collect {

class ScrapeManager {
public:
    // REQUIRES: `sink` is thread-safe; both outlive it.
    ScrapeManager(SampleSink& sink, metrics::Registry& registry);
    ~ScrapeManager();  // stop()
    ScrapeManager(const ScrapeManager&) = delete;
    ScrapeManager& operator=(const ScrapeManager&) = delete;

    // The jobs from now on; those that stay the same go on undisturbed. A job that can't run is logged, counted and
    // left out. REQUIRES: complete() jobs, of different names.
    void apply(std::vector<ScrapeConfig> jobs);

    // Ends everything; targets' series just pause.
    void stop();

    ScrapeReport report() const;

private:
    void replace(std::vector<ScrapeConfig> jobs);

    SampleSink& sink_;
    metrics::Registry& registry_;
    boost::asio::thread_pool blocking_{1};
    net::Loops loops_{1};
    bool stopped_ = false;

    mutable Mutex mutex_;
    std::map<std::string, std::shared_ptr<ScrapePool>> pools_ GUARDED_BY(mutex_);  // By job.
    std::vector<SourceStatus> failed_ GUARDED_BY(mutex_);                          // Jobs that could not be started.
};

}  // namespace stoker::collect
