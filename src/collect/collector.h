// Collects: Stoker itself, the engines it was told of, and those it finds on loopback.
//
// Every target has a coroutine and a schedule of its own, so one that hangs delays nobody. A round ends in one call of
// the sink. Runs on one loop; start, stop, apply and targets are thread-safe.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "collect/engine/finding.h"
#include "collect/sample_sink.h"
#include "collect/scrape/label_limits.h"

namespace stoker::collect {

class Adapters;
std::shared_ptr<const Adapters> built_in_adapters();  // engine/adapters.h

struct CollectOptions {
    Duration interval{5'000};  // Between two scrapes of a target.
    Duration timeout{4'000};   // For one scrape. Never more than the interval.
    std::size_t max_body = std::size_t{16} << 20;
    std::size_t max_samples = 100'000;  // Of one page.
    LabelLimits label_limits;           // Of every sample on it.
    bool native_histograms = false;     // Ask for the protobuf format, the one that has them.
    bool self = true;                   // Write `registry` into the sink, with instance="stoker".
    bool discover = true;
    Duration discover_interval{30'000};
    std::vector<std::uint16_t> discover_ports;                       // Beside those that engines use by default.
    std::vector<std::uint16_t> own_ports;                            // Stoker's own listeners: never probed.
    std::shared_ptr<const Adapters> adapters = built_in_adapters();  // How engines are recognised and read.
    // What the gateway counts of a replica, to compare with; empty: nobody counts. Called on the collector's loop.
    std::function<std::optional<GatewayCount>(std::string_view replica)> gateway_count;
};

struct TargetSpec {
    std::string url;   // http://HOST:PORT
    std::string kind;  // An adapter's name; empty: find out.
    std::string pool;
    std::string replica;
    std::string metrics_path;   // Empty: what is usual for the kind.
    std::string bearer;         // Sent as Authorization if not empty.
    bool honor_labels = false;  // See ScrapeRules.
    bool honor_timestamps = true;
    friend bool operator==(const TargetSpec&, const TargetSpec&) = default;
};

struct TargetStatus {
    std::string url;
    std::string kind;  // Empty: not recognised yet.
    std::string version;
    std::vector<std::string> models;
    std::string pool;
    std::string replica;
    bool discovered = false;  // Found, not configured.
    bool scraped = false;     // At least once.
    bool up = false;          // The last scrape worked.
    bool answered = false;    // Somebody answered, metrics or not.
    Timestamp last_scrape{};
    ElapsedTime duration{0};
    std::int64_t samples = 0;
    std::string error;              // Why the last scrape did not work.
    std::vector<Finding> findings;  // What looks wrong with its numbers, the worst first.
};

class Collector {
public:
    // REQUIRES: all outlive it.
    static std::unique_ptr<Collector> create(boost::asio::io_context& loop, CollectOptions options, SampleSink& sink,
                                             metrics::Registry& registry);
    virtual ~Collector() = default;  // stop()

    virtual void start() = 0;
    // Ends all rounds and returns when the sink is called no more. REQUIRES: from no loop, while the loop runs.
    virtual void stop() = 0;

    // The configured targets from now on; those that stay the same go on undisturbed. Errors: InvalidArgument, naming
    // the first bad URL; then nothing changes.
    virtual Result<Unit> apply(std::vector<TargetSpec> targets) = 0;

    // Configured and discovered, in order of URL.
    virtual std::vector<TargetStatus> targets() const = 0;
};

}  // namespace stoker::collect
