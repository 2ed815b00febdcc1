// The gateway's metrics, with the handles that a request needs looked up when routes are made, not when it comes.
//
// Label values come from the configuration only: what a client names (an unknown model) never becomes one. Of tenants
// only those are named that the configuration names; the label is empty, which is none, for all others. Thread-safe.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "gateway/balance/balance_policy.h"
#include "gateway/meter/overhead.h"
#include "gateway/meter/token_ledger.h"
#include "gateway/upstream/replica_status.h"

namespace stoker::gateway {

// What a request for one model of one pool touches whatever replica it meets.
struct ModelSeries {
    metrics::Gauge* active = nullptr;
    metrics::Counter* ok = nullptr;  // requests{code="200",outcome="ok"}
};

// What it touches on one replica.
struct ReplicaSeries {
    metrics::Histogram* duration = nullptr;
    metrics::Histogram* time_to_first_token = nullptr;
    metrics::Histogram* inter_token_latency = nullptr;
    metrics::Counter* prompt_tokens = nullptr;  // As the engine counted them.
    metrics::Counter* completion_tokens = nullptr;
    metrics::Counter* cached_tokens = nullptr;
    metrics::Counter* attempts_ok = nullptr;
    LedgerSeries ledger{};
};

// What every choice among a pool's replicas touches.
struct PoolSeries {
    std::array<metrics::Counter*, kPickReasons> picks{};  // By PickReason.
    metrics::Counter* prefix_hit = nullptr;               // Tokens presumably in the chosen replica's cache.
    metrics::Counter* prefix_new = nullptr;               // And the others.
};

class RequestMetrics {
public:
    explicit RequestMetrics(metrics::Registry& registry);

    PoolSeries pool_series(const std::string& pool);
    // `tenant` is one that the configuration names, or empty.
    ModelSeries model_series(const std::string& pool, const std::string& model, const std::string& tenant);
    ReplicaSeries replica_series(const std::string& pool, const std::string& model, const std::string& replica,
                                 const std::string& tenant);

    // How often a rule, alias, split or canary (`by`) of that name led to `to`.
    metrics::Counter* routed_series(const std::string& by, const std::string& name, const std::string& to);

    // The rarer cases, looked up by name.
    void count_request(const std::string& pool, const std::string& model, const std::string& tenant, int code,
                       std::string_view outcome);
    void count_attempt(const std::string& replica, std::string_view result);
    void count_estimated_tokens(const std::string& pool, const std::string& model, const std::string& replica,
                                const std::string& tenant, std::int64_t prompt, std::int64_t completion);
    // A part of the tokens that few engines tell of: reasoning, cache_write.
    void count_part(const std::string& pool, const std::string& model, const std::string& replica,
                    const std::string& tenant, std::string_view type, std::int64_t tokens);
    // "sent", or "no_budget" where the pool had none left for it.
    void count_retry(const std::string& pool, std::string_view result);
    // A second attempt beside a slow one: it "won", "lost", both "failed"; or "no_budget" for it.
    void count_hedge(const std::string& pool, std::string_view result);
    void count_auth_failure(std::string_view code);
    void count_token_check(std::string_view result);
    void count_token_cached() { token_cached_->add(); }
    // A stream that broke off after its first byte: "begun" to be continued, or why it was not.
    void count_continuation(const std::string& pool, std::string_view result);
    // Tokens that engines computed for nothing: type prompt or completion; reason retry, continuation,
    // hedge, client_left or prefix (meter/waste.h).
    void count_wasted(const std::string& pool, std::string_view type, std::string_view reason, std::int64_t tokens);
    void count_event(const std::string& replica, ReplicaEvent::Kind kind);
    void show_replica(const ReplicaStatus& status);
    void forget_replica(const std::string& pool, const std::string& replica);

    metrics::Histogram& overhead_before() { return *overhead_before_; }
    metrics::Histogram& overhead_after() { return *overhead_after_; }
    const OverheadSeries& stages() const { return stages_; }

private:
    metrics::Family<metrics::Counter>& requests_;
    metrics::Family<metrics::Histogram>& duration_;
    metrics::Family<metrics::Histogram>& time_to_first_token_;
    metrics::Family<metrics::Histogram>& inter_token_latency_;
    metrics::Family<metrics::Counter>& tokens_;
    metrics::Family<metrics::Gauge>& active_;
    metrics::Family<metrics::Counter>& attempts_;
    metrics::Family<metrics::Counter>& picks_;
    metrics::Family<metrics::Counter>& prefix_tokens_;
    metrics::Family<metrics::Histogram>& overhead_;
    metrics::Family<metrics::Counter>& continuations_;
    metrics::Family<metrics::Counter>& wasted_;
    metrics::Family<metrics::Counter>& ledger_;
    metrics::Family<metrics::Counter>& retries_;
    metrics::Family<metrics::Counter>& hedges_;
    metrics::Family<metrics::Gauge>& outstanding_;
    metrics::Family<metrics::Gauge>& weight_;
    metrics::Family<metrics::Gauge>& state_;
    metrics::Family<metrics::Counter>& events_;
    metrics::Family<metrics::Counter>& auth_failures_;
    metrics::Family<metrics::Counter>& token_checks_;
    metrics::Counter* token_cached_;
    metrics::Family<metrics::Counter>& routed_;
    metrics::Histogram* overhead_before_;
    metrics::Histogram* overhead_after_;
    OverheadSeries stages_;
};

}  // namespace stoker::gateway
