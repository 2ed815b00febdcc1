// One source of targets: static ones, files, an endpoint, a cluster.
//
// Keeps what it last knew when it can't ask any more, and says so. Lives on one loop.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "collect/discovery/http_access.h"
#include "collect/discovery/target_labels.h"

namespace stoker::collect {

// How asking a source goes.
struct SourceHealth {
    std::string error;    // Why the last try failed; empty if it did not.
    Timestamp good_at{};  // When it last worked; 0 if never.
};

class Discoverer {
public:
    virtual ~Discoverer() = default;

    // "static", "file", "http", ...: for metrics and pages.
    virtual std::string_view kind() const = 0;

    // Begins to look. `changed` is called on the loop after groups() or health() have changed.
    virtual void start(std::function<void()> changed) = 0;
    // Ends it; `changed` is called no more.
    virtual void stop() = 0;

    virtual const std::vector<TargetGroup>& groups() const = 0;  // Until the next change.
    virtual SourceHealth health() const = 0;
    // The targets known are complete: a source was asked once, with success or not.
    virtual bool asked() const = 0;
};

// What discoverers run on.
struct DiscoveryContext {
    boost::asio::io_context& loop;
    boost::asio::thread_pool& blocking;  // For files.
};

// Errors: InvalidArgument (credentials or certificates that can't be read).
Result<std::vector<std::shared_ptr<Discoverer>>> make_discoverers(const ScrapeConfig& config, DiscoveryContext context);

// What a job's targets come from, in the words of Discoverer::kind().
std::vector<std::string> source_kinds(const ScrapeConfig& config);

// Targets that never change.
std::shared_ptr<Discoverer> static_discoverer(const std::vector<StaticConfig>& configs);

}  // namespace stoker::collect
