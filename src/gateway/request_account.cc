// What a settled request leaves behind: its record, its metrics, what its limits, canary and shadow are told.
#include <algorithm>
#include <utility>

#include "gateway/elapsed.h"
#include "gateway/hooks/price_hook.h"
#include "gateway/limit/limit_stage.h"
#include "gateway/request_context.h"

namespace stoker::gateway {
void RequestContext::account() {
    close_books();
    loop_.records->write();
}

void RequestContext::close_books() {
    if (std::exchange(accounted_, true)) return;
    record_.degradation = static_cast<int>(degradation);
    if (!scan.model.empty() && scan.model != record_.model) record_.requested_model = scan.model;
    record_.duration_ns = nanos(std::chrono::steady_clock::now() - received_at());
    record_.write_ns = overhead_.spent(OverheadStage::Write).count();
    settle_limits();
    write_metrics();
    if (inner_) return;
    count_for_canary();
    if (shadow_) tell_shadow();
    if (core_->options.price) core_->options.price->on_metered(record_, answer_source());
    loop_.records->add(record_);
}

// What engines counted teaches the estimates; the reservation becomes what was used.
void RequestContext::settle_limits() {
    if (!reservation_.any() || std::exchange(limits_settled_, true)) return;
    const std::int64_t used = record_.prompt_tokens + record_.completion_tokens;
    const bool reached = reached_engine() || answered_by_cache_;
    core_->shared_limits->settled(core_->limits.settle(reservation_, used, reached, Moment::now()));
    core_->limit_metrics.count_tokens(reservation_.tokens, used);
    if (record_.usage_source != records::UsageSource::Engine) return;
    std::optional<std::int64_t> output;
    if (!scan.max_tokens && record_.outcome == to_string(Outcome::Ok)) output = record_.completion_tokens;
    core_->estimator.learn(record_.model, scan.prompt_bytes, record_.prompt_tokens, output);
}

void RequestContext::count_for_canary() {
    CanarySample* sample = plan.sample;
    if (sample == nullptr) return;
    if (record_.attempts.empty()) {  // Refused by us, or all its replicas are out: that much is the arm's own doing.
        if (record_.error == info(GatewayError::NoReplica).code) sample->failed.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    const bool by_first = step_ == plan.steps.data();
    if (by_first && record_.outcome == to_string(Outcome::Ok)) {
        sample->good.fetch_add(1, std::memory_order_relaxed);
        if (record_.ttft_ns > 0) {
            sample->first_token.add(record_.ttft_ns);
        } else {
            sample->duration.add(record_.duration_ns);
        }
        return;
    }
    // What the client itself got wrong or gave up says nothing of the model; that another one had to answer does.
    const bool own_fault =
        record_.outcome == to_string(Outcome::ClientError) || record_.outcome == to_string(Outcome::Cancelled);
    if (!by_first || !own_fault) sample->failed.fetch_add(1, std::memory_order_relaxed);
}

// Of the tokens that the engine counted: parts that few requests have.
void RequestContext::write_parts() {
    RequestMetrics& metrics = core_->metrics;
    const records::RequestRecord& seen = record_;
    const auto count = [&](std::string_view type, std::int64_t tokens) {
        if (tokens > 0) metrics.count_part(seen.pool, seen.model, seen.replica, handles_->tenant, type, tokens);
    };
    count("reasoning", seen.reasoning_tokens);
    count("cache_write", seen.cache_write_tokens);
    if (seen.recomputed_tokens > 0) metrics.count_wasted(seen.pool, "prompt", "prefix", seen.recomputed_tokens);
}

// The request's side of the pair. A client that left, or an answer that was cut, says nothing of the model.
void RequestContext::tell_shadow() {
    ShadowPair& pair = shadow_->pair;
    const bool whole =
        record_.outcome != to_string(Outcome::Cancelled) && record_.outcome != to_string(Outcome::Truncated);
    pair.comparable = pair.comparable && whole && !record_.attempts.empty();
    const records::Attempt* const answering = answering_attempt(record_);
    const std::int64_t began = answering == nullptr ? 0 : answering->started_ns;
    pair.client = ShadowSide{.status = record_.status,
                             .finish_reason = record_.finish_reason,
                             .completion_tokens = record_.completion_tokens,
                             .ttft_ns = std::max<std::int64_t>(record_.ttft_ns - began, 0),
                             .duration_ns = record_.duration_ns - began};
    core_->shadows.look(*shadow_);
}

void RequestContext::write_metrics() {
    RequestMetrics& metrics = core_->metrics;
    if (handles_ == nullptr) {
        // What clients name must not become a label: all such requests share one series.
        const std::string tenant = identity->tenant_is_label ? identity->tenant : std::string();
        return metrics.count_request("", "", tenant, record_.status, record_.outcome);
    }
    handles_->model.active->add(-1);
    write_replica_metrics();
    if (inner_) return;
    if (record_.status == 200 && record_.outcome == to_string(Outcome::Ok)) {
        handles_->model.ok->add();
    } else {
        metrics.count_request(record_.pool, record_.model, handles_->tenant, record_.status, record_.outcome);
    }
}

void RequestContext::write_replica_metrics() {
    const ReplicaSeries* series = replica_series();
    if (series == nullptr) return;
    series->duration->observe(seconds(record_.duration_ns));
    if (record_.ttft_ns > 0) series->time_to_first_token->observe(seconds(record_.ttft_ns));
    if (record_.usage_source == records::UsageSource::Engine) {
        series->prompt_tokens->add(static_cast<double>(record_.prompt_tokens));
        series->completion_tokens->add(static_cast<double>(record_.completion_tokens - count_earlier_tokens()));
        if (record_.cached_tokens > 0) series->cached_tokens->add(static_cast<double>(record_.cached_tokens));
        write_parts();
    } else if (record_.usage_source == records::UsageSource::Estimated) {
        core_->metrics.count_estimated_tokens(record_.pool, record_.model, record_.replica, handles_->tenant,
                                              record_.prompt_tokens, record_.completion_tokens);
    }
}

}  // namespace stoker::gateway
