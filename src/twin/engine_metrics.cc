#include "twin/engine_metrics.h"

#include <algorithm>

namespace stoker::twin {
namespace {

// vLLM's own buckets.
const std::vector<double> kFirstToken = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,  0.25,  0.5,   0.75,
                                         1.0,   2.5,   5.0,  7.5,  10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0};
const std::vector<double> kInterToken = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2,  0.3,  0.4, 0.5,
                                         0.75, 1.0,   2.5,  5.0,   7.5, 10.0, 20.0, 40.0, 80.0};
const std::vector<double> kRequest = {0.3,  0.5,  0.8,  1.0,  1.5,   2.0,   2.5,   5.0,   10.0,   15.0,  20.0,
                                      30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0};

// 1, 2, 5, 10, ... up to `most`.
std::vector<double> token_bounds(double most) {
    std::vector<double> bounds;
    for (double decade = 1; decade <= most; decade *= 10) {
        for (double digit : {1.0, 2.0, 5.0}) {
            if (digit * decade <= most) bounds.push_back(digit * decade);
        }
    }
    return bounds;
}

}  // namespace

EngineMetrics::EngineMetrics(const std::string& model, const Profile& profile) {
    const std::vector<std::string> names = {"engine", "model_name"};
    const metrics::LabelValues values = {"0", model};
    auto gauge = [&](const char* name, const char* help) { return &registry_.gauge(name, help, names).with(values); };
    auto counter = [&](const char* name, const char* help) {
        return &registry_.counter(name, help, names).with(values);
    };
    auto histogram = [&](const char* name, const char* help, const std::vector<double>& bounds) {
        return &registry_.histogram(name, help, names, bounds).with(values);
    };
    running_ = gauge("vllm:num_requests_running", "Number of requests in model execution batches.");
    waiting_ = gauge("vllm:num_requests_waiting", "Number of requests waiting to be processed.");
    kv_usage_ = gauge("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.");
    preemptions_ = counter("vllm:num_preemptions_total", "Cumulative number of preemptions from the engine.");
    prefix_queries_ = counter("vllm:prefix_cache_queries_total", "Prefix cache queries, in number of tokens.");
    prefix_hits_ = counter("vllm:prefix_cache_hits_total", "Prefix cache hits, in number of cached tokens.");
    prompt_tokens_ = counter("vllm:prompt_tokens_total", "Number of prefill tokens processed.");
    generation_tokens_ = counter("vllm:generation_tokens_total", "Number of generation tokens processed.");

    auto& success = registry_.counter("vllm:request_success_total", "Count of successfully processed requests.",
                                      {"engine", "finished_reason", "model_name"});
    stopped_ = &success.with({"0", "stop", model});
    cut_ = &success.with({"0", "length", model});
    aborted_ = &success.with({"0", "abort", model});

    time_to_first_token_ =
        histogram("vllm:time_to_first_token_seconds", "Time to first token in seconds.", kFirstToken);
    inter_token_latency_ =
        histogram("vllm:inter_token_latency_seconds", "Inter-token latency in seconds.", kInterToken);
    request_latency_ = histogram("vllm:e2e_request_latency_seconds", "E2E request latency in seconds.", kRequest);
    queue_time_ = histogram("vllm:request_queue_time_seconds", "Time spent in WAITING phase.", kRequest);
    prefill_time_ = histogram("vllm:request_prefill_time_seconds", "Time spent in PREFILL phase.", kRequest);
    decode_time_ = histogram("vllm:request_decode_time_seconds", "Time spent in DECODE phase.", kRequest);
    inference_time_ = histogram("vllm:request_inference_time_seconds", "Time spent in RUNNING phase.", kRequest);
    time_per_output_token_ = histogram("vllm:request_time_per_output_token_seconds",
                                       "Time per output token of a request in seconds.", kInterToken);
    auto tokens = token_bounds(profile.max_context);
    request_prompt_tokens_ = histogram("vllm:request_prompt_tokens", "Number of prefill tokens processed.", tokens);
    request_generation_tokens_ =
        histogram("vllm:request_generation_tokens", "Number of generation tokens processed.", tokens);

    registry_
        .gauge("vllm:cache_config_info", "Information of the LLMEngine CacheConfig",
               {"block_size", "cache_dtype", "enable_prefix_caching", "engine", "gpu_memory_utilization",
                "num_gpu_blocks"})
        .with({std::to_string(profile.block_tokens), "auto", profile.prefix_cache ? "True" : "False", "0", "0.9",
               std::to_string(profile.kv_blocks)})
        .set(1);
}

void EngineMetrics::prompt_computed(std::uint32_t prompt_tokens) {
    prompt_tokens_->add(prompt_tokens);
}

void EngineMetrics::finished(Reason reason, std::uint32_t prompt_tokens, std::uint32_t tokens, const Times& times) {
    (reason == Reason::Stop ? stopped_ : reason == Reason::Length ? cut_ : aborted_)->add();
    request_latency_->observe(seconds(times.last - times.arrived));
    queue_time_->observe(seconds(times.started - times.arrived));
    prefill_time_->observe(seconds(times.first - times.started));
    decode_time_->observe(seconds(times.last - times.first));
    inference_time_->observe(seconds(times.last - times.started));
    if (tokens > 1) time_per_output_token_->observe(seconds(times.last - times.first) / (tokens - 1));
    request_prompt_tokens_->observe(prompt_tokens);
    request_generation_tokens_->observe(tokens);
}

}  // namespace stoker::twin
