// One target under collection: its schedule, its scrapes, its identity. Lives on the collector's loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/sync.h"
#include "collect/collector.h"
#include "collect/engine/identify.h"
#include "collect/scrape/http_get.h"
#include "collect/scrape/scrape.h"
#include "net/client.h"

namespace stoker::collect {

// What all targets share. Constant after construction.
struct TargetContext {
    boost::asio::io_context& loop;
    net::Client& client;
    const CollectOptions& options;
    SampleSink& sink;
    metrics::Counter& scrapes_ok;
    metrics::Counter& scrapes_failed;
    metrics::Counter& samples;
};

class Target {
public:
    Target(TargetContext context, TargetSpec spec, net::Url url, bool discovered, EngineIdentity identity);

    const TargetSpec& spec() const { return spec_; }
    bool discovered() const { return discovered_; }
    const net::Url& url() const { return url_; }
    // Since when nobody answers; empty while somebody does.
    std::optional<SteadyTime> silent_since() const { return silent_since_; }
    TargetStatus status() const;  // Thread-safe.

    // Scrapes on schedule until told to leave.
    static boost::asio::awaitable<void> run(std::shared_ptr<Target> self);

    // `gone`: the target is no more, so its series end. Otherwise Stoker stops and they just pause.
    void leave(bool gone);

private:
    boost::asio::awaitable<void> round();
    boost::asio::awaitable<void> find_out();
    void take_identity();
    std::optional<GatewayCount> gateway_count() const;
    void take(Result<Page> page, bool has_metrics, Timestamp began, ElapsedTime took);
    void failed(bool answered, std::string why, Timestamp began, ElapsedTime took);
    SampleBatch::Pairs labels() const;

    TargetContext context_;
    const TargetSpec spec_;
    const net::Url url_;
    const bool discovered_;
    EngineIdentity identity_;
    bool identified_ = false;
    Scrape scrape_;
    Abandon abandon_;
    boost::asio::steady_timer timer_;
    bool leaving_ = false;
    bool gone_ = false;
    std::optional<SteadyTime> silent_since_;

    mutable Mutex mutex_;
    TargetStatus status_ GUARDED_BY(mutex_);
};

}  // namespace stoker::collect
