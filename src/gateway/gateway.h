// The gateway: an OpenAI-compatible front for pools of inference engines.
//
//   auto gateway = Gateway::create(options, loops, registry, sink, observer);
//   gateway->apply(routes);
//   gateway->start();
//   net::Server::open(loops, server_options, gateway->handler(), registry);
//   ...
//   server->stop(grace);   // First: no request may be under way at stop().
//   gateway->stop();       // Before the loops stop.
//
// A request: its body is scanned, not parsed; its model names a pool; the replica with the least work gets it, and
// another one if that fails before the client's first byte; the answer is passed on as it comes and counted.
// docs/gateway.md tells operators what is retried, which headers are set, and what the errors mean.
//
// Thread-safe. handle() runs on the loops given.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "gateway/admission/admission_gate.h"
#include "gateway/auth/auth_options.h"
#include "gateway/auth/keyring.h"
#include "gateway/auth/token_verifier.h"
#include "gateway/balance/engine_load.h"
#include "gateway/degrade/degradation_control.h"
#include "gateway/limit/limiter.h"
#include "gateway/limit/shared_limits.h"
#include "gateway/options.h"
#include "gateway/record_sink.h"
#include "gateway/route/release.h"
#include "gateway/upstream/drains.h"
#include "gateway/upstream/replica_status.h"
#include "net/loops.h"
#include "net/server.h"

namespace stoker::gateway {

struct CacheFilter;
struct CacheOptions;
struct CacheReport;
class Core;
class OutlierWatch;
class Probers;
class RouteTable;

class Gateway {
public:
    // `loops`, `registry`, `sink` and `observer` outlive it.
    static std::unique_ptr<Gateway> create(GatewayOptions options, net::Loops& loops, metrics::Registry& registry,
                                           RecordSink& sink, ReplicaObserver& observer);
    ~Gateway();  // stop()

    // Takes these routes from the next request on; replicas that stay keep their state, and what is under way goes on.
    // Errors: InvalidArgument, Conflict; the routes before stay.
    Result<Unit> apply(const Routes& routes);

    // Takes these keys, tenants and issuers from the next request on. Errors: Conflict; those before stay.
    Result<Unit> apply_auth(const AuthOptions& auth);
    // The keys that an issuer of tokens signs with, from the next request on; null: a fetch failed, those before stay.
    // Either way those who waited for it go on.
    void set_issuer_keys(const std::string& issuer, std::shared_ptr<const crypto::KeySet> keys);
    // The issuers whose keys requests are waiting for, each once.
    std::vector<std::string> take_wanted_issuers();
    // The keys used after `since`, to the second.
    std::vector<Keyring::Use> keys_used_since(Timestamp since) const;

    // Begins to probe replicas; apply() may come before or after.
    void start();
    // Ends probing. REQUIRES: called from no loop; the server that calls handle() has stopped.
    void stop();

    // Serves one request to its end.
    boost::asio::awaitable<void> handle(net::Exchange& exchange);
    net::Handler handler();

    DegradationControl& degradation();
    // Brings back what was kept of switches and canaries; where to keep it and whom to tell of changes from now on.
    // Call before apply().
    void restore_release(std::string_view kept, Release::Save save, Release::Announce announce = {});
    // Points an alias elsewhere from the next request on; an empty `to` goes back to the configuration. Kept.
    // Errors: NotFound, InvalidArgument.
    Result<Unit> switch_alias(const std::string& alias, const std::string& to, const ReleaseOrder& order = {});
    // promote, rollback, pause, resume, restart. Kept. Errors: NotFound, InvalidArgument, Conflict.
    Result<Unit> steer_canary(const std::string& canary, std::string_view action, const ReleaseOrder& order = {});
    // Judges the canaries; to be called every second or so.
    void tick_canaries();
    // Keeps circuits and slow starts going, and looks for replicas that do much worse than their pool; to be called
    // every second or so.
    void tick_outliers();
    // Aliases, splits and canaries as they are now, as JSON.
    std::string release_json() const;
    // What shadows copied, what it cost, and how their answers differ, as JSON.
    std::string shadows_json() const;
    // Where a request would go, and why, as JSON. Errors: InvalidArgument (not JSON, or it names no model).
    Result<std::string> explain_route(std::string_view question) const;

    // What the metrics of a replica's engine said; the balancing of every pool with a replica at its address goes by
    // it. `report.load.outstanding` is filled in here. An id that is unknown (it has just gone) is ignored.
    void report_load(std::string_view replica, EngineReport report);

    std::vector<ReplicaStatus> statuses() const;
    std::vector<std::string> models() const;

    // Limits from the next request on; what is counted stays counted.
    void set_limits(LimitsOptions limits);
    LimitsReport limits() const;
    // Counts them together with other gateways, in Redis; alone without options. May be called again.
    void share_limits(std::optional<SharedLimitsOptions> options);
    // Before the first of those: who is told of each change, from a loop; how many gateways there were before.
    void on_sharing(SharedLimits::Told told);
    void remember_gateways(std::int64_t count);
    SharingReport sharing() const;
    // The queues of the pools that have one, each with at most so many of the tenants that wait.
    std::vector<AdmissionStatus> admission(std::size_t most_lines) const;
    // What each subject used today, where that changed since the last call; and what a run before this one had saved.
    std::vector<DayUse> take_changed_days();
    void restore_days(const std::vector<DayUse>& days);

    // Which answers are kept and shared, from the next request on.
    void set_cache(CacheOptions options);
    CacheReport cache_report(const CacheFilter& filter, std::size_t most) const;
    // How many answers went.
    std::size_t purge_cache(const CacheFilter& filter);

    // Brings back which replicas were drained, and where to keep it from now on. Call before apply().
    void restore_drained(std::string_view kept, Drains::Save save);
    // Operators: the replicas of this id, or at this address (HOST:PORT, a URL) in whatever pools, take no new requests
    // from now on, or again; what is under way goes on. Kept. Returns their statuses. Errors: NotFound.
    Result<std::vector<ReplicaStatus>> drain(std::string_view replica, const std::string& reason);
    Result<std::vector<ReplicaStatus>> undrain(std::string_view replica);

    // Control, for healing and for people. Errors: NotFound.
    Result<Unit> eject(std::string_view replica, const std::string& reason);
    Result<Unit> readmit(std::string_view replica);
    // The supervisor saw the replica's process end.
    Result<Unit> hint_down(std::string_view replica, const std::string& reason);

private:
    Result<Unit> rebuild(const Routes& routes) REQUIRES_LOCK(mutex_);
    void rebuild_tokens() REQUIRES_LOCK(mutex_);
    void drain_as_before(const RouteTable& table) REQUIRES_LOCK(mutex_);
    Gateway(GatewayOptions options, net::Loops& loops, metrics::Registry& registry, RecordSink& sink,
            ReplicaObserver& observer);

    const std::shared_ptr<Core> core_;
    const std::unique_ptr<Probers> probers_;
    mutable Mutex mutex_;  // Held while routes or keys are changed.
    bool started_ GUARDED_BY(mutex_) = false;
    Routes routes_ GUARDED_BY(mutex_);  // As applied last.
    Release release_ GUARDED_BY(mutex_);
    std::vector<TokenIssuerOptions> issuers_ GUARDED_BY(mutex_);
    IssuerKeys issuer_keys_ GUARDED_BY(mutex_);
    Drains drains_ GUARDED_BY(mutex_);
    const std::unique_ptr<OutlierWatch> outliers_;
};

}  // namespace stoker::gateway
