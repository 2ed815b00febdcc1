// Limits that several gateways share through Redis.
//
// Each request with a limit asks Redis once (shared_script.h), so that all gateways together admit what one would; its
// end is told without waiting. Questions of one moment go out together over the one connection, which lives on one
// loop. A request waits for Redis no longer than `deadline`: if it does not answer, or is gone, the connection is
// closed, all who wait are decided here and now, and this gateway goes on alone with its fair share: the limits by the
// number of gateways that were last seen alive. Meanwhile it tries again, less and less often and not in step with the
// others, and tells Redis what it admitted once it is back.
//
// Thread-safe where it says so.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/sync.h"
#include "gateway/limit/limiter.h"
#include "gateway/limit/shared_script.h"
#include "net/redis.h"

namespace stoker::gateway {

struct SharedLimitsOptions {
    net::RedisOptions redis{};
    std::string prefix = "stoker";  // Of the keys; gateways that share limits have the same.
    Duration deadline{100};         // For one answer.
    std::int64_t gateways = 1;      // How many there are as long as Redis has not said.

    bool operator==(const SharedLimitsOptions&) const = default;
};

enum class Sharing : std::uint8_t { Off, Shared, Alone };
std::string_view to_string(Sharing sharing);  // off, shared, alone

struct SharingReport {
    Sharing state{};
    std::int64_t gateways = 1;  // Last seen alive, this one among them.
    Timestamp since{};
    std::string reason{};  // Why alone.
};

class SharedLimits : public std::enable_shared_from_this<SharedLimits> {
public:
    using Told = std::function<void(const SharingReport&)>;

    // `limiter` outlives stop(), `loop` and `registry` the SharedLimits.
    SharedLimits(Limiter& limiter, boost::asio::io_context& loop, metrics::Registry& registry);
    ~SharedLimits();

    // Whom to share with from now on; nobody without options. Thread-safe.
    void configure(std::optional<SharedLimitsOptions> options);
    // Told of each change, from the loop. Call before configure().
    void on_change(Told told);
    // How many gateways a run before this one has seen, for as long as Redis has not said. Call before configure().
    void remember(std::int64_t gateways);
    // Takes leave of the others and waits until all has ended, at most `limit`. REQUIRES: called from no loop.
    void stop(Duration limit);

    // Whether Redis decides now. Thread-safe.
    bool sharing() const { return sharing_.load(std::memory_order_acquire); }
    // Decides by Redis, or, should it fail, alone. Waits at most the deadline. From any loop.
    boost::asio::awaitable<LimitVerdict> reserve(LimitAsk ask);
    // Tells Redis, if limits are shared. Thread-safe.
    void settled(std::vector<SharedChange> changes);

    SharingReport report() const;  // Thread-safe.

private:
    using Connection = std::shared_ptr<net::RedisConnection>;

    static boost::asio::awaitable<void> run(std::shared_ptr<SharedLimits> self);
    boost::asio::awaitable<Result<Unit>> meet(SharedLimitsOptions options);
    boost::asio::awaitable<Result<Unit>> load_scripts(Connection connection, Duration limit);
    boost::asio::awaitable<Result<Unit>> tell_own(Connection connection, std::vector<SharedOwn> owns, Duration limit);
    boost::asio::awaitable<Error> keep(Connection connection, SharedLimitsOptions options);
    std::optional<SharedLimitsOptions> options() const;
    boost::asio::awaitable<void> take_leave();
    boost::asio::awaitable<void> pause(Duration duration);
    void take_presence(const shared_script::Presence& presence);
    void ask(std::vector<LimitClaim> claims, std::function<void(Result<shared_script::Verdict>)> done);
    void send_changes(std::vector<SharedChange> changes);
    void go_alone(const Error& why);
    void become(Sharing state, std::string reason);
    void wake();

    Limiter& limiter_;
    boost::asio::io_context& loop_;
    const std::string instance_;  // Of this process, by chance.
    metrics::Family<metrics::Gauge>& shared_metric_;
    metrics::Family<metrics::Gauge>& gateways_metric_;
    metrics::Family<metrics::Gauge>& share_metric_;
    metrics::Family<metrics::Counter>& failures_metric_;
    metrics::Family<metrics::Histogram>& seconds_metric_;
    metrics::Histogram* seconds_ = nullptr;  // Set before `sharing_` is for the first time.
    std::atomic<bool> sharing_{false};
    std::atomic<bool> stopping_{false};

    // Touched only on the loop.
    Connection connection_;
    shared_script::Session session_;
    Duration deadline_{};
    std::uint64_t meetings_ = 0;
    std::optional<Error> lost_;
    boost::asio::steady_timer timer_;

    mutable Mutex mutex_;
    std::optional<SharedLimitsOptions> options_ GUARDED_BY(mutex_);
    SharingReport report_ GUARDED_BY(mutex_);
    Told told_ GUARDED_BY(mutex_);

    std::mutex ended_mutex_;
    std::condition_variable ended_;
    bool running_ = false;  // Guarded by ended_mutex_.
};

}  // namespace stoker::gateway
