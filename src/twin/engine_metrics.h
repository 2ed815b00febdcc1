// The simulated engine's /metrics, under vLLM's names, types, labels and buckets.
//
// Updates are lock-free; thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "base/metrics.h"
#include "base/time.h"
#include "twin/profile.h"

namespace stoker::twin {

class EngineMetrics {
public:
    EngineMetrics(const std::string& model, const Profile& profile);

    // What happened to one request, when it happened.
    void prompt_computed(std::uint32_t prompt_tokens);
    void first_token(Nanos since_arrival) { time_to_first_token_->observe(seconds(since_arrival)); }
    void next_token(Nanos since_last) { inter_token_latency_->observe(seconds(since_last)); }
    void tokens_generated(std::uint64_t count) { generation_tokens_->add(static_cast<double>(count)); }

    enum class Reason : std::uint8_t { Stop, Length, Abort };
    struct Times {
        SteadyTime arrived{};
        SteadyTime started{};
        SteadyTime first{};
        SteadyTime last{};
    };
    void finished(Reason reason, std::uint32_t prompt_tokens, std::uint32_t tokens, const Times& times);
    void aborted() { aborted_->add(); }

    metrics::Gauge& running() { return *running_; }
    metrics::Gauge& waiting() { return *waiting_; }
    metrics::Gauge& kv_usage() { return *kv_usage_; }
    metrics::Counter& preemptions() { return *preemptions_; }
    metrics::Counter& prefix_queries() { return *prefix_queries_; }
    metrics::Counter& prefix_hits() { return *prefix_hits_; }

    std::string text() const { return registry_.text(); }

private:
    static double seconds(Nanos time) { return std::chrono::duration<double>(time).count(); }

    metrics::Registry registry_;
    metrics::Gauge* running_;
    metrics::Gauge* waiting_;
    metrics::Gauge* kv_usage_;
    metrics::Counter* preemptions_;
    metrics::Counter* prefix_queries_;
    metrics::Counter* prefix_hits_;
    metrics::Counter* prompt_tokens_;
    metrics::Counter* generation_tokens_;
    metrics::Counter* stopped_;
    metrics::Counter* cut_;
    metrics::Counter* aborted_;
    metrics::Histogram* time_to_first_token_;
    metrics::Histogram* inter_token_latency_;
    metrics::Histogram* request_latency_;
    metrics::Histogram* queue_time_;
    metrics::Histogram* prefill_time_;
    metrics::Histogram* decode_time_;
    metrics::Histogram* inference_time_;
    metrics::Histogram* time_per_output_token_;
    metrics::Histogram* request_prompt_tokens_;
    metrics::Histogram* request_generation_tokens_;
};

}  // namespace stoker::twin
