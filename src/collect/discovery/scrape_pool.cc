#include "collect/discovery/scrape_pool.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/log.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

constexpr Duration kBetweenSyncs{1'000};
constexpr Duration kIdle{3'600'000};
constexpr std::size_t kKeptDropped = 1'000;

LabelMap with_group(const LabelMap& target, const LabelMap& group) {
    LabelMap labels = target;
    labels.insert(group.begin(), group.end());
    return labels;
}

metrics::Gauge& targets_gauge(metrics::Registry& registry, const std::string& job, const std::string& state) {
    return registry
        .gauge("stoker_scrape_pool_targets",
               "Targets of a scrape configuration: scraped (active), or dropped by relabelling.", {"job", "state"})
        .with({job, state});
}

}  // namespace

Result<std::shared_ptr<ScrapePool>> ScrapePool::create(ScrapeConfig config, ScrapeShared shared) {
    TRY(auto access, HttpAccess::create(shared.discovery.loop, config.http));
    TRY(auto maker, TargetMaker::create(config));
    TRY(auto relabeler, Relabeler::create(config.metric_relabel_configs));
    TRY(auto sources, make_discoverers(config, shared.discovery));
    auto& scrapes = shared.registry.counter("stoker_scrape_pool_scrapes_total",
                                            "Scrapes of the targets of scrape configurations, by job and result.",
                                            {"job", "result"});
    auto& samples = shared.registry.counter("stoker_scrape_pool_samples_total",
                                            "Samples on the pages of scrape configurations' targets.", {"job"});
    const std::string job = config.job_name;
    std::shared_ptr<const ScrapeJobContext> context(
        new ScrapeJobContext{shared.discovery.loop, shared.sink, std::move(config), std::move(access),
                             std::make_shared<const Relabeler>(std::move(relabeler)), scrapes.with({job, "ok"}),
                             scrapes.with({job, "failed"}), samples.with({job})});
    return std::shared_ptr<ScrapePool>(
        new ScrapePool(shared, std::move(context), std::move(maker), std::move(sources)));
}

ScrapePool::ScrapePool(ScrapeShared shared, std::shared_ptr<const ScrapeJobContext> context, TargetMaker maker,
                       std::vector<std::shared_ptr<Discoverer>> sources)
    : shared_(shared),
      context_(std::move(context)),
      maker_(std::move(maker)),
      sources_(std::move(sources)),
      active_gauge_(targets_gauge(shared_.registry, config().job_name, "active")),
      dropped_gauge_(targets_gauge(shared_.registry, config().job_name, "dropped")),
      failures_(shared_.registry
                    .counter("stoker_scrape_pool_bad_targets_total",
                             "Targets that a source told of and that can't be scraped: no address, a bad label.",
                             {"job"})
                    .with({config().job_name})),
      sync_seconds_(shared_.registry
                        .gauge("stoker_scrape_pool_sync_seconds",
                               "How long making the targets anew took after the last news from a source.", {"job"})
                        .with({config().job_name})),
      stopper_(shared_.discovery.loop) {}

void ScrapePool::start() {
    for (const auto& source : sources_) {
        source->start([this] {  // Not called after stop().
            news_ = true;
            stopper_.wake();
        });
    }
    asio::co_spawn(shared_.discovery.loop, watch(shared_from_this()), asio::detached);
}

void ScrapePool::stop() {
    stopper_.stop();
    for (const auto& source : sources_) source->stop();
    for (auto& [key, target] : running_) target->leave();
    running_.clear();
    active_gauge_.set(0);
    dropped_gauge_.set(0);
}

asio::awaitable<void> ScrapePool::watch(std::shared_ptr<ScrapePool> self) {
    while (!self->stopper_.stopped()) {
        if (!std::exchange(self->news_, false)) {
            co_await self->stopper_.sleep_for(kIdle);
            continue;
        }
        self->sync();
        const SteadyTime next = std::chrono::steady_clock::now() + kBetweenSyncs;
        while (!self->stopper_.stopped() && std::chrono::steady_clock::now() < next) {
            co_await self->stopper_.sleep_until(next);
        }
    }
}

ScrapePool::Wanted ScrapePool::wanted() const {
    Wanted wanted;
    const std::int64_t limit = config().keep_dropped_targets;
    const std::size_t kept = limit > 0 ? static_cast<std::size_t>(limit) : kKeptDropped;
    for (const auto& source : sources_) {
        for (const TargetGroup& group : source->groups()) {
            for (const LabelMap& target : group.targets) {
                const LabelMap labels = with_group(target, group.labels);
                auto made = maker_.make(labels);
                if (!made) {
                    if (++wanted.errors == 1) wanted.error = group.source + ": " + made.error().message;
                } else if (!*made) {
                    ++wanted.dropped_count;
                    if (wanted.dropped.size() < kept) {
                        wanted.dropped.push_back({config().job_name, maker_.discovered(labels)});
                    }
                } else {
                    std::string key = (*made)->key;
                    wanted.made.emplace(std::move(key), *std::move(*made));
                }
            }
        }
    }
    const auto most = static_cast<std::size_t>(config().target_limit);
    if (most > 0 && wanted.made.size() > most) {
        wanted.error = std::to_string(wanted.made.size()) + " targets, target_limit is " + std::to_string(most) +
                       ": none of them is scraped";
        wanted.errors += wanted.made.size();
        wanted.made.clear();
    }
    return wanted;
}

void ScrapePool::sync() {
    const SteadyTime began = std::chrono::steady_clock::now();
    Wanted news = wanted();
    replace(std::move(news.made));
    sync_seconds_.set(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    tell(news);
}

void ScrapePool::replace(std::map<std::string, MadeTarget> wanted) {
    std::erase_if(running_, [&wanted](const auto& one) {
        if (wanted.contains(one.first)) return false;
        one.second->leave();
        return true;
    });
    for (auto& [key, made] : wanted) {
        if (running_.contains(key)) continue;
        auto target = std::make_shared<ScrapeTarget>(context_, std::move(made));
        running_.emplace(key, target);
        asio::co_spawn(shared_.discovery.loop, ScrapeTarget::run(std::move(target)), asio::detached);
    }
}

void ScrapePool::tell(Wanted& wanted) {
    if (wanted.errors > 0) {
        failures_.add(static_cast<double>(wanted.errors));
    }
    if (std::exchange(told_, wanted.error) != wanted.error && !wanted.error.empty()) {
        log::warn("targets can't be scraped",
                  {{"job", config().job_name}, {"targets", wanted.errors}, {"first_problem", wanted.error}});
    }
    active_gauge_.set(static_cast<double>(running_.size()));
    dropped_gauge_.set(static_cast<double>(wanted.dropped_count));
    auto& up = shared_.registry.gauge("stoker_discovery_up",
                                      "Whether the last try to learn a source's targets worked; if not, its last ones "
                                      "are kept.",
                                      {"job", "source"});
    Shown shown;
    for (const auto& [key, target] : running_) shown.targets.push_back(target);
    shown.dropped = std::move(wanted.dropped);
    shown.dropped_count = wanted.dropped_count;
    std::map<std::string, bool> all_good;  // By kind: a job may have several sources of one.
    for (const auto& source : sources_) {
        SourceStatus status{.job = config().job_name,
                            .kind = std::string(source->kind()),
                            .targets = 0,
                            .health = source->health(),
                            .asked = source->asked()};
        for (const TargetGroup& group : source->groups()) status.targets += group.targets.size();
        if (status.asked) {
            const auto [kind, first] = all_good.try_emplace(status.kind, true);
            kind->second = kind->second && status.health.error.empty();
        }
        if (status.health.error.empty() && !wanted.error.empty()) status.health.error = wanted.error;
        shown.sources.push_back(std::move(status));
    }
    for (const auto& [kind, good] : all_good) up.with({config().job_name, kind}).set(good ? 1 : 0);
    MutexLock lock(mutex_);
    shown_ = std::move(shown);
}

void ScrapePool::report(ScrapeReport& out) const {
    std::vector<std::shared_ptr<ScrapeTarget>> targets;
    {
        MutexLock lock(mutex_);
        targets = shown_.targets;
        out.dropped.insert(out.dropped.end(), shown_.dropped.begin(), shown_.dropped.end());
        out.sources.insert(out.sources.end(), shown_.sources.begin(), shown_.sources.end());
        if (shown_.dropped_count > 0) out.dropped_counts.emplace_back(config().job_name, shown_.dropped_count);
    }
    for (const auto& target : targets) out.targets.push_back(target->status());
}

}  // namespace stoker::collect
