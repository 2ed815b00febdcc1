#include "gateway/request_metrics.h"

#include "gateway/metrics_names.h"

namespace stoker::gateway {
namespace {

constexpr ReplicaState kStates[] = {ReplicaState::Serving, ReplicaState::Down,     ReplicaState::Hung,
                                    ReplicaState::Ejected, ReplicaState::Draining, ReplicaState::Open,
                                    ReplicaState::HalfOpen};

// Between tokens: half a millisecond to 8 s.
std::vector<double> token_bounds() {
    return {0.0005, 0.001, 0.002, 0.004, 0.006, 0.008, 0.012, 0.016, 0.024, 0.032, 0.048,
            0.064,  0.096, 0.128, 0.192, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192};
}

// Stoker's own work: 5 µs to 100 ms; and what others do, up to 100 s.
std::vector<double> overhead_bounds() {
    return {5e-6, 1e-5, 2e-5, 4e-5, 8e-5, 1.6e-4, 3.2e-4, 6.4e-4, 1.28e-3, 2.56e-3, 5.12e-3, 1e-2, 1e-1, 1, 10, 100};
}

}  // namespace

RequestMetrics::RequestMetrics(metrics::Registry& registry)
    : requests_(registry.counter(names::kRequests, "Requests by their final status and outcome.",
                                 {"pool", "model", "code", "outcome", "tenant"})),
      duration_(registry.histogram(names::kDuration, "From the request's head to the end of its answer.",
                                   {"pool", "model", "replica", "tenant"}, metrics::latency_bounds())),
      time_to_first_token_(registry.histogram(names::kTimeToFirstToken,
                                              "Streams: from the request's head to the first event with content.",
                                              {"pool", "model", "replica", "tenant"}, metrics::latency_bounds())),
      inter_token_latency_(registry.histogram(names::kInterTokenLatency, "Streams: between two events with content.",
                                              {"pool", "model", "replica"}, token_bounds())),
      tokens_(
          registry.counter(names::kTokens,
                           "Tokens by type (cached and cache_write are part of prompt, reasoning of completion) and by "
                           "who counted them, engine or estimate.",
                           {"pool", "model", "replica", "type", "source", "tenant"})),
      active_(registry.gauge(names::kActive, "Requests under way.", {"pool", "model", "tenant"})),
      attempts_(registry.counter(names::kAttempts, "Tries of a request on one replica, by how they ended.",
                                 {"replica", "result"})),
      picks_(registry.counter(names::kPicks, "Choices of a replica, by why it was chosen.", {"pool", "reason"})),
      prefix_tokens_(registry.counter(names::kPrefixTokens,
                                      "Prompt tokens by whether the chosen replica presumably has them cached.",
                                      {"pool", "cached"})),
      overhead_(registry.histogram(
          names::kOverhead,
          "Where a request's time goes beside the answer itself, by stage: parse, limit, cache, route, queue, "
          "connect, upstream (to its answer's head), write; request and response are what "
          "Stoker does before and after the upstream.",
          {"stage"}, overhead_bounds())),
      continuations_(registry.counter(names::kContinuations,
                                      "Streams that broke off after their first byte: begun on another replica, or "
                                      "why they ended there.",
                                      {"pool", "result"})),
      wasted_(registry.counter(names::kWasted,
                               "Tokens that engines computed for nothing: of failed attempts that nobody got, and of "
                               "prompts computed anew to go on with an answer or for want of the cache that has them.",
                               {"pool", "type", "reason"})),
      ledger_(registry.counter(names::kLedger,
                               "Tokens of every attempt that an engine answered: counted by the gateway (events of "
                               "streams), told by usage, or counted of streams whose usage never came (unreported).",
                               {"pool", "model", "replica", "ledger", "answer", "type"})),
      retries_(registry.counter(
          names::kRetries, "Requests that failed and could be tried again: sent, or no_budget where they were not.",
          {"pool", "result"})),
      hedges_(registry.counter(names::kHedges,
                               "Requests that were slow to begin and could be sent to a second replica: the second one "
                               "won, it lost, both failed, or no_budget where it was not sent.",
                               {"pool", "result"})),
      outstanding_(
          registry.gauge(names::kOutstanding, "Requests sent to the replica and not finished.", {"pool", "replica"})),
      weight_(registry.gauge(names::kReplicaWeight,
                             "Share of its part of the requests that the replica gets: below 1 while it starts slowly.",
                             {"pool", "replica"})),
      state_(registry.gauge(names::kReplicaState, "1 for the state that the replica is in.",
                            {"pool", "replica", "state"})),
      events_(registry.counter(names::kReplicaEvents, "Changes of a replica's state.", {"replica", "event"})),
      auth_failures_(
          registry.counter(names::kAuthFailures, "Requests refused for their credentials, by error code.", {"code"})),
      token_checks_(registry.counter(names::kTokenChecks,
                                     "Tokens shown instead of keys: cached (found good before), ok, or what was wrong.",
                                     {"result"})),
      token_cached_(&token_checks_.with({"cached"})),
      routed_(registry.counter(names::kRouted, "Requests by what chose their way, and where it led.",
                               {"by", "name", "to"})),
      overhead_before_(&overhead_.with({"request"})),
      overhead_after_(&overhead_.with({"response"})) {
    for (const OverheadStage stage : all_overhead_stages()) {
        stages_[stage] = &overhead_.with({std::string(to_string(stage))});
    }
}

PoolSeries RequestMetrics::pool_series(const std::string& pool) {
    PoolSeries series;
    for (const PickReason reason : all_pick_reasons()) {
        series.picks[static_cast<std::size_t>(reason)] = &picks_.with({pool, std::string(to_string(reason))});
    }
    series.prefix_hit = &prefix_tokens_.with({pool, "yes"});
    series.prefix_new = &prefix_tokens_.with({pool, "no"});
    return series;
}

ModelSeries RequestMetrics::model_series(const std::string& pool, const std::string& model, const std::string& tenant) {
    return {&active_.with({pool, model, tenant}), &requests_.with({pool, model, "200", "ok", tenant})};
}

ReplicaSeries RequestMetrics::replica_series(const std::string& pool, const std::string& model,
                                             const std::string& replica, const std::string& tenant) {
    return {&duration_.with({pool, model, replica, tenant}),
            &time_to_first_token_.with({pool, model, replica, tenant}),
            &inter_token_latency_.with({pool, model, replica}),
            &tokens_.with({pool, model, replica, "prompt", "engine", tenant}),
            &tokens_.with({pool, model, replica, "completion", "engine", tenant}),
            &tokens_.with({pool, model, replica, "cached", "engine", tenant}),
            &attempts_.with({replica, "ok"}),
            LedgerSeries::of([&](const char* ledger, const char* answer, const char* type) {
                return &ledger_.with({pool, model, replica, ledger, answer, type});
            })};
}

metrics::Counter* RequestMetrics::routed_series(const std::string& by, const std::string& name, const std::string& to) {
    return &routed_.with({by, name, to});
}

void RequestMetrics::count_request(const std::string& pool, const std::string& model, const std::string& tenant,
                                   int code, std::string_view outcome) {
    requests_.with({pool, model, std::to_string(code), std::string(outcome), tenant}).add();
}

void RequestMetrics::count_attempt(const std::string& replica, std::string_view result) {
    attempts_.with({replica, std::string(result)}).add();
}

void RequestMetrics::count_estimated_tokens(const std::string& pool, const std::string& model,
                                            const std::string& replica, const std::string& tenant, std::int64_t prompt,
                                            std::int64_t completion) {
    tokens_.with({pool, model, replica, "prompt", "estimate", tenant}).add(static_cast<double>(prompt));
    tokens_.with({pool, model, replica, "completion", "estimate", tenant}).add(static_cast<double>(completion));
}

void RequestMetrics::count_part(const std::string& pool, const std::string& model, const std::string& replica,
                                const std::string& tenant, std::string_view type, std::int64_t tokens) {
    tokens_.with({pool, model, replica, std::string(type), "engine", tenant}).add(static_cast<double>(tokens));
}

void RequestMetrics::count_retry(const std::string& pool, std::string_view result) {
    retries_.with({pool, std::string(result)}).add();
}

void RequestMetrics::count_hedge(const std::string& pool, std::string_view result) {
    hedges_.with({pool, std::string(result)}).add();
}

void RequestMetrics::count_auth_failure(std::string_view code) {
    auth_failures_.with({std::string(code)}).add();
}

void RequestMetrics::count_token_check(std::string_view result) {
    token_checks_.with({std::string(result)}).add();
}

void RequestMetrics::count_continuation(const std::string& pool, std::string_view result) {
    continuations_.with({pool, std::string(result)}).add();
}

void RequestMetrics::count_wasted(const std::string& pool, std::string_view type, std::string_view reason,
                                  std::int64_t tokens) {
    wasted_.with({pool, std::string(type), std::string(reason)}).add(static_cast<double>(tokens));
}

void RequestMetrics::count_event(const std::string& replica, ReplicaEvent::Kind kind) {
    events_.with({replica, std::string(to_string(kind))}).add();
}

void RequestMetrics::show_replica(const ReplicaStatus& status) {
    outstanding_.with({status.pool, status.id}).set(static_cast<double>(status.outstanding));
    weight_.with({status.pool, status.id}).set(status.weight);
    for (const ReplicaState state : kStates) {
        state_.with({status.pool, status.id, std::string(to_string(state))}).set(status.state == state ? 1 : 0);
    }
}

void RequestMetrics::forget_replica(const std::string& pool, const std::string& replica) {
    outstanding_.remove({pool, replica});
    weight_.remove({pool, replica});
    for (const ReplicaState state : kStates) state_.remove({pool, replica, std::string(to_string(state))});
}

}  // namespace stoker::gateway
