#include "collect/discovery/scrape_manager.h"

#include <boost/asio/post.hpp>

#include "base/log.h"

namespace stoker::collect {

ScrapeManager::ScrapeManager(SampleSink& sink, metrics::Registry& registry) : sink_(sink), registry_(registry) {
    loops_.start();
}

ScrapeManager::~ScrapeManager() {
    stop();
}

void ScrapeManager::apply(std::vector<ScrapeConfig> jobs) {
    boost::asio::post(loops_.at(0), [this, jobs = std::move(jobs)]() mutable { replace(std::move(jobs)); });
}

void ScrapeManager::stop() {
    if (std::exchange(stopped_, true)) return;
    loops_.stop();
    blocking_.join();
}

// On the loop, the only one to change pools_.
void ScrapeManager::replace(std::vector<ScrapeConfig> jobs) {
    auto& bad =
        registry_.gauge("stoker_scrape_pools_failed", "Jobs of scrape_configs that could not be started.").with();
    std::map<std::string, std::shared_ptr<ScrapePool>> before;
    {
        MutexLock lock(mutex_);
        before = pools_;
    }
    std::map<std::string, std::shared_ptr<ScrapePool>> after;
    std::vector<std::shared_ptr<ScrapePool>> fresh;
    std::vector<SourceStatus> failed;
    for (ScrapeConfig& job : jobs) {
        const std::string name = job.job_name;
        const auto known = before.find(name);
        if (known != before.end() && known->second->config() == job) {
            after.emplace(name, known->second);
            before.erase(known);
            continue;
        }
        auto made = ScrapePool::create(std::move(job), {{loops_.at(0), blocking_}, sink_, registry_});
        if (!made) {
            log::error("a job of scrape_configs can't run", {{"job", name}, {"error", made.error().message}});
            failed.push_back({name, "configuration", 0, {made.error().message, {}}, true});
            continue;
        }
        fresh.push_back(*made);
        after.emplace(name, *std::move(made));
    }
    bad.set(static_cast<double>(failed.size()));
    for (auto& [name, pool] : before) pool->stop();
    for (auto& pool : fresh) pool->start();
    MutexLock lock(mutex_);
    pools_ = std::move(after);
    failed_ = std::move(failed);
}

ScrapeReport ScrapeManager::report() const {
    std::map<std::string, std::shared_ptr<ScrapePool>> pools;
    ScrapeReport report;
    {
        MutexLock lock(mutex_);
        pools = pools_;
        report.sources = failed_;
    }
    for (const auto& [name, pool] : pools) pool->report(report);
    return report;
}

}  // namespace stoker::collect
