#include "collect/engine/canonical_names.h"

#include <array>

namespace stoker::collect {
namespace {

using Kind = CanonicalName::Kind;

constexpr auto kNames = std::to_array<CanonicalName>({
    {"llm_engine_requests_running", Kind::Gauge, "requests", "Requests that the engine computes right now.", {}},
    {"llm_engine_requests_waiting", Kind::Gauge, "requests", "Requests that it has taken and not begun.", {}},
    {"llm_engine_kv_usage_ratio",
     Kind::Fullest,
     "0 to 1",
     "Share of the KV cache that running requests hold; what is cached for later and may be evicted is free.",
     {}},
    {"llm_engine_kv_capacity_tokens", Kind::Gauge, "tokens", "Tokens that the KV cache has room for.", {}},
    {"llm_engine_kv_used_tokens", Kind::Gauge, "tokens", "Tokens of running requests in the KV cache.", {}},
    {"llm_engine_prefix_cache_query_tokens_total",
     Kind::Counter,
     "tokens",
     "Prompt tokens that were looked for in the prefix cache.",
     {}},
    {"llm_engine_prefix_cache_hit_tokens_total",
     Kind::Counter,
     "tokens",
     "Prompt tokens that were found in the prefix cache and so not computed.",
     {}},
    {"llm_engine_prefix_cache_hit_ratio",
     Kind::Fullest,
     "0 to 1",
     "Share of the prefix cache's hits as the engine reports it; over which time is the engine's matter. Use the "
     "counters where there are any.",
     {}},
    {"llm_engine_prompt_tokens_total",
     Kind::Counter,
     "tokens",
     "Tokens of prompts, those found in the prefix cache included.",
     {}},
    {"llm_engine_generation_tokens_total", Kind::Counter, "tokens", "Tokens generated.", {}},
    {"llm_engine_preemptions_total",
     Kind::Counter,
     "times",
     "Running requests that lost their place in the KV cache and will be computed again.",
     {}},
    {"llm_engine_requests_finished_total", Kind::Counter, "requests",
     "Requests ended, by reason as the engine names it; `unknown` where it does not say.", "finish_reason"},
    {"llm_engine_time_to_first_token_seconds",
     Kind::Histogram,
     "s",
     "From a request's arrival in the engine to its first token.",
     {}},
    {"llm_engine_inter_token_latency_seconds",
     Kind::Histogram,
     "s",
     "Between two tokens of one request, the first token's time left out.",
     {}},
    {"llm_engine_time_per_output_token_seconds",
     Kind::Histogram,
     "s",
     "Mean time per token of a request, one value a request.",
     {}},
    {"llm_engine_request_duration_seconds", Kind::Histogram, "s", "From a request's arrival to its end.", {}},
    {"llm_engine_queue_duration_seconds", Kind::Histogram, "s", "From a request's arrival to its begin.", {}},
    {"llm_engine_prefill_duration_seconds", Kind::Histogram, "s", "Computing a request's prompt.", {}},
    {"llm_engine_decode_duration_seconds", Kind::Histogram, "s", "Generating, after the first token.", {}},
    {"llm_engine_spec_drafts_total", Kind::Counter, "times", "Speculative drafts made.", {}},
    {"llm_engine_spec_draft_tokens_total", Kind::Counter, "tokens", "Tokens in speculative drafts.", {}},
    {"llm_engine_spec_accepted_tokens_total", Kind::Counter, "tokens", "Drafted tokens that were right.", {}},
    {"llm_engine_spec_acceptance_ratio",
     Kind::Fullest,
     "0 to 1",
     "Share of drafted tokens that were right, as the engine reports it. Use the counters where there are any.",
     {}},
    {"llm_engine_lora_adapters_running", Kind::Gauge, "adapters", "LoRA adapters that running requests use.", {}},
    {"llm_engine_lora_adapters_waiting", Kind::Gauge, "adapters", "LoRA adapters that waiting requests want.", {}},
    {"llm_engine_lora_slots", Kind::Fullest, "adapters", "LoRA adapters that can be used at the same time.", {}},
    {"llm_engine_models_loaded", Kind::Gauge, "models", "Models in memory.", {}},
    {"llm_engine_model_memory_bytes", Kind::Gauge, "bytes", "Accelerator memory that a loaded model takes.", {}},
    {"llm_engine_context_length_tokens",
     Kind::Fullest,
     "tokens",
     "Longest prompt and answer together that one request may have.",
     {}},
    {"llm_engine_info", Kind::Fullest, "1", "What runs there; labels that the engine does not tell are left out.",
     "version, quantization, dtype"},
});

}  // namespace

std::span<const CanonicalName> canonical_names() {
    return kNames;
}

const CanonicalName* find_canonical(std::string_view name) {
    for (const CanonicalName& one : kNames) {
        if (one.name == name) return &one;
        if (one.kind != Kind::Histogram || !name.starts_with(one.name)) continue;
        const std::string_view suffix = name.substr(one.name.size());
        if (suffix == "_sum" || suffix == "_count") return &one;
    }
    return nullptr;
}

std::string_view type_of(Kind kind) {
    if (kind == Kind::Counter) return "counter";
    return kind == Kind::Histogram ? "histogram" : "gauge";
}

}  // namespace stoker::collect
