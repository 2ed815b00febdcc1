// What all requests share: options, routes, metrics, and on each loop the client connections and the attempts under
// way.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/snapshot.h"
#include "gateway/admission/admission_metrics.h"
#include "gateway/auth/auth_failures.h"
#include "gateway/auth/keyring.h"
#include "gateway/auth/token_demand.h"
#include "gateway/auth/token_verifier.h"
#include "gateway/cache/cache_control.h"
#include "gateway/degrade/degradation_control.h"
#include "gateway/errors.h"
#include "gateway/limit/limit_metrics.h"
#include "gateway/limit/limiter.h"
#include "gateway/limit/shared_limits.h"
#include "gateway/limit/token_estimate.h"
#include "gateway/options.h"
#include "gateway/record_sink.h"
#include "gateway/request_metrics.h"
#include "gateway/route/made_responses.h"
#include "gateway/route/routes.h"
#include "gateway/shadow/shadows.h"
#include "gateway/upstream/replica_status.h"
#include "net/client.h"
#include "net/loops.h"

namespace stoker::gateway {

// An attempt under way, findable by those who may have to end it. Touched only on its loop.
struct ActiveAttempt {
    Replica* replica = nullptr;
    std::size_t number = 0;                 // Among those of its request.
    const ReplicaSeries* series = nullptr;  // Null until it is the request's.
    net::CancelToken token;                 // While the request is being sent.
    net::Call* call = nullptr;              // While its answer is being read.
    std::optional<GatewayError> cut;        // Why it was ended from outside.
    std::string cut_reason;

    // Ends it; the first cause counts.
    void end(GatewayError cause, const std::string& reason);
};

// One loop's share. Touched only on that loop, save for its construction and its end.
struct LoopState {
    LoopState(boost::asio::io_context& context, RecordSink& sink);

    boost::asio::io_context& loop;
    std::unique_ptr<net::Client> client;
    std::unique_ptr<net::Client> probe_client;  // Keeps no connections: a probe tries the whole way.
    std::unique_ptr<RecordBatch> records;
    std::unordered_set<ActiveAttempt*> attempts;
    std::unordered_set<ActiveAttempt*> shadows;  // Those of them that no client waits for.

    // The one that goes the way of this pool's replicas, and trusts whom they are trusted by. It stays as long as the
    // pool's table.
    net::Client& client_for(const Pool& pool);

    // Resumes once what else is ready on this loop has had its go; at once if few requests are under way. Waited for
    // before a write: requests that came together then write together, and whoever reads them on another core is woken
    // once, not for each, which takes longer than the write itself.
    boost::asio::awaitable<void> end_of_turn();

    // Closes the kept connections and writes the records that are left. REQUIRES: the loop runs no more.
    void close();

private:
    struct AccessClient {
        std::weak_ptr<const ProviderAccess> access;
        std::unique_ptr<net::Client> client;
    };
    std::vector<AccessClient> by_access_;  // One for each access that a pool has of its own.
};

class Core : public std::enable_shared_from_this<Core> {
public:
    Core(GatewayOptions given, net::Loops& given_loops, metrics::Registry& registry, RecordSink& given_sink,
         ReplicaObserver& given_observer);

    // The state of the loop that `executor` belongs to. REQUIRES: it is one of our loops.
    LoopState& here(const boost::asio::any_io_executor& executor);

    // Tells the observer, the metrics and the log of a replica's change, and ends its requests if they have no hope.
    // Thread-safe.
    void publish(const std::shared_ptr<Replica>& replica, std::optional<Replica::Change> change);

    const GatewayOptions options;
    net::Loops& loops;
    RecordSink& sink;
    ReplicaObserver& observer;
    RequestMetrics metrics;
    DegradationControl degradation;
    Snapshot<RouteTable> routes;
    Shadows shadows;
    Snapshot<Keyring> keyring;
    Snapshot<TokenVerifier> tokens;
    TokenDemand token_demand;
    AuthFailures auth_failures;
    Limiter limits;
    const std::shared_ptr<SharedLimits> shared_limits;  // Over `limits`. Never null.
    LimitMetrics limit_metrics;
    AdmissionMetrics admission_metrics;
    TokenEstimator estimator;
    CacheControl cache;
    MadeResponses made_responses;
    std::vector<std::unique_ptr<LoopState>> loop_states;

private:
    void forget_cache(Replica& replica);
    void cut_requests(const std::shared_ptr<Replica>& replica, GatewayError cause, const std::string& reason);
};

}  // namespace stoker::gateway
