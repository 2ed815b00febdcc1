#include "twin/dialect_names.h"

#include <array>

namespace stoker::twin {
namespace {

constexpr std::string_view kRunning = "vllm:num_requests_running";
constexpr std::string_view kWaiting = "vllm:num_requests_waiting";
constexpr std::string_view kKv = "vllm:kv_cache_usage_perc";
constexpr std::string_view kPrompt = "vllm:prompt_tokens_total";
constexpr std::string_view kGeneration = "vllm:generation_tokens_total";
constexpr std::string_view kPreemptions = "vllm:num_preemptions_total";
constexpr std::string_view kHits = "vllm:prefix_cache_hits_total";
constexpr std::string_view kQueries = "vllm:prefix_cache_queries_total";
constexpr std::string_view kFirst = "vllm:time_to_first_token_seconds";
constexpr std::string_view kInter = "vllm:inter_token_latency_seconds";
constexpr std::string_view kPerToken = "vllm:request_time_per_output_token_seconds";
constexpr std::string_view kWhole = "vllm:e2e_request_latency_seconds";
constexpr std::string_view kWholeSum = "vllm:e2e_request_latency_seconds_sum";
constexpr std::string_view kWholeCount = "vllm:e2e_request_latency_seconds_count";
constexpr std::string_view kQueue = "vllm:request_queue_time_seconds";
constexpr std::string_view kQueueSum = "vllm:request_queue_time_seconds_sum";
constexpr std::string_view kPrefill = "vllm:request_prefill_time_seconds";
constexpr std::string_view kDecode = "vllm:request_decode_time_seconds";
constexpr std::string_view kRequestPrompt = "vllm:request_prompt_tokens";
constexpr std::string_view kRequestGeneration = "vllm:request_generation_tokens";
constexpr std::string_view kSuccess = "vllm:request_success_total";
// Not vLLM's: what the profile says (dialect.cc).
constexpr std::string_view kCapacity = "profile:kv_tokens";
constexpr std::string_view kBlocks = "profile:kv_blocks";
constexpr std::string_view kBlockTokens = "profile:block_tokens";

// python/sglang/srt/metrics/collector.py
constexpr auto kSglang = std::to_array<DialectRow>({
    {"sglang:num_running_reqs", "gauge", kRunning},
    {"sglang:num_queue_reqs", "gauge", kWaiting},
    {"sglang:token_usage", "gauge", kKv},
    {"sglang:max_total_num_tokens", "gauge", kCapacity},
    {"sglang:num_retracted_requests_total", "counter", kPreemptions},
    {"sglang:prompt_tokens_total", "counter", kPrompt},
    {"sglang:generation_tokens_total", "counter", kGeneration},
    {"sglang:cached_tokens_total", "counter", kHits, 1, {}, R"(cache_source="device")"},
    {"sglang:num_requests_total", "counter", kWholeCount},
    {"sglang:time_to_first_token_seconds", "histogram", kFirst},
    {"sglang:inter_token_latency_seconds", "histogram", kInter},
    {"sglang:e2e_request_latency_seconds", "histogram", kWhole},
    {"sglang:queue_time_seconds", "histogram", kQueue},
});

// router/src of text-generation-inference; names of its metrics documentation
constexpr auto kTgi = std::to_array<DialectRow>({
    {"tgi_batch_current_size", "gauge", kRunning},
    {"tgi_queue_size", "gauge", kWaiting},
    {"tgi_request_count", "counter", kWholeCount},
    {"tgi_request_success", "counter", kWholeCount},
    {"tgi_request_input_length", "histogram", kRequestPrompt},
    {"tgi_request_generated_tokens", "histogram", kRequestGeneration},
    {"tgi_request_mean_time_per_token_duration", "histogram", kPerToken},
    {"tgi_request_duration", "histogram", kWhole},
    {"tgi_request_queue_duration", "histogram", kQueue},
});

// tensorrt_llm/metrics/collector.py
constexpr auto kTensorRt = std::to_array<DialectRow>({
    {"trtllm_num_requests_running", "gauge", kRunning},
    {"trtllm_num_requests_waiting", "gauge", kWaiting},
    {"trtllm_kv_cache_utilization", "gauge", kKv},
    {"trtllm_kv_cache_max_blocks", "gauge", kBlocks},
    {"trtllm_kv_cache_tokens_per_block", "gauge", kBlockTokens},
    {"trtllm_prompt_tokens_total", "counter", kPrompt},
    {"trtllm_generation_tokens_total", "counter", kGeneration},
    {"trtllm_request_success_total", "counter", kSuccess},
    {"trtllm_time_to_first_token_seconds", "histogram", kFirst},
    {"trtllm_time_per_output_token_seconds", "histogram", kPerToken},
    {"trtllm_e2e_request_latency_seconds", "histogram", kWhole},
    {"trtllm_request_queue_time_seconds", "histogram", kQueue},
});

// Triton's docs/user_guide/metrics.md, and tensorrtllm_backend's README
constexpr auto kTriton = std::to_array<DialectRow>({
    {"nv_trt_llm_request_metrics", "gauge", kRunning, 1, {}, R"(request_type="scheduled")"},
    {"nv_trt_llm_request_metrics", "gauge", kWaiting, 1, {}, R"(request_type="waiting")"},
    {"nv_trt_llm_kv_cache_block_metrics", "gauge", kKv, 1, {}, R"(kv_cache_block_type="fraction")"},
    {"nv_trt_llm_kv_cache_block_metrics", "gauge", kBlocks, 1, {}, R"(kv_cache_block_type="max")"},
    {"nv_trt_llm_kv_cache_block_metrics", "gauge", kBlockTokens, 1, {}, R"(kv_cache_block_type="tokens_per")"},
    {"nv_inference_request_success", "counter", kWholeCount},
    {"nv_inference_request_duration_us", "counter", kWholeSum, 1e6},
    {"nv_inference_queue_duration_us", "counter", kQueueSum, 1e6},
    {"nv_inference_first_response_histogram_ms", "histogram", kFirst, 1e3},
});

// lmdeploy/metrics/loggers.py
constexpr auto kLmDeploy = std::to_array<DialectRow>({
    {"lmdeploy:num_requests_running", "gauge", kRunning},
    {"lmdeploy:num_requests_waiting", "gauge", kWaiting},
    {"lmdeploy:gpu_cache_usage_perc", "gauge", kKv},
    {"lmdeploy:prompt_tokens_total", "counter", kPrompt},
    {"lmdeploy:generation_tokens_total", "counter", kGeneration},
    {"lmdeploy:request_success_total", "counter", kSuccess},
    {"lmdeploy:time_to_first_token_seconds", "histogram", kFirst},
    {"lmdeploy:iter_token_latency", "histogram", kInter},
    {"lmdeploy:time_per_output_token_seconds", "histogram", kPerToken},
    {"lmdeploy:e2e_request_latency_seconds", "histogram", kWhole},
    {"lmdeploy:request_queue_time_seconds", "histogram", kQueue},
});

// tools/server of llama.cpp; its prompt tokens leave out those from the cache
constexpr auto kLlamaCpp = std::to_array<DialectRow>({
    {"llamacpp:prompt_tokens_total", "counter", kPrompt, 1, kHits},
    {"llamacpp:prompt_tokens_cached_total", "counter", kHits},
    {"llamacpp:tokens_predicted_total", "counter", kGeneration},
    {"llamacpp:requests_processing", "gauge", kRunning},
    {"llamacpp:requests_deferred", "gauge", kWaiting},
});

// vLLM's through Ray's metrics agent
constexpr auto kRay = std::to_array<DialectRow>({
    {"ray_vllm_num_requests_running", "gauge", kRunning},
    {"ray_vllm_num_requests_waiting", "gauge", kWaiting},
    {"ray_vllm_kv_cache_usage_perc", "gauge", kKv},
    {"ray_vllm_prompt_tokens_total", "counter", kPrompt},
    {"ray_vllm_generation_tokens_total", "counter", kGeneration},
    {"ray_vllm_num_preemptions_total", "counter", kPreemptions},
    {"ray_vllm_prefix_cache_queries_total", "counter", kQueries},
    {"ray_vllm_prefix_cache_hits_total", "counter", kHits},
    {"ray_vllm_request_success_total", "counter", kSuccess},
    {"ray_vllm_time_to_first_token_seconds", "histogram", kFirst},
    {"ray_vllm_inter_token_latency_seconds", "histogram", kInter},
    {"ray_vllm_e2e_request_latency_seconds", "histogram", kWhole},
    {"ray_vllm_request_queue_time_seconds", "histogram", kQueue},
    {"ray_vllm_request_prefill_time_seconds", "histogram", kPrefill},
    {"ray_vllm_request_decode_time_seconds", "histogram", kDecode},
});

}  // namespace

std::span<const DialectRow> dialect_rows(std::string_view dialect) {
    if (dialect == "sglang") return kSglang;
    if (dialect == "tgi") return kTgi;
    if (dialect == "tensorrt-llm") return kTensorRt;
    if (dialect == "triton") return kTriton;
    if (dialect == "lmdeploy") return kLmDeploy;
    if (dialect == "llama.cpp") return kLlamaCpp;
    if (dialect == "ray-serve-llm") return kRay;
    return {};
}

}  // namespace stoker::twin
