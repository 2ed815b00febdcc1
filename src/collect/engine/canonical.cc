#include "collect/engine/canonical.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace stoker::collect {
namespace {

enum class Shape : std::uint8_t { Sum, Max, Histogram };

struct Row {
    std::string_view own;  // As the engine writes it, without "_total".
    std::string_view canonical;
    Shape shape = Shape::Sum;
};

constexpr std::string_view kRunning = "llm_engine_requests_running";
constexpr std::string_view kWaiting = "llm_engine_requests_waiting";
constexpr std::string_view kKvUsage = "llm_engine_kv_usage_ratio";
constexpr std::string_view kPromptTokens = "llm_engine_prompt_tokens_total";
constexpr std::string_view kGenerationTokens = "llm_engine_generation_tokens_total";
constexpr std::string_view kPreemptions = "llm_engine_preemptions_total";
constexpr std::string_view kPrefixQueries = "llm_engine_prefix_cache_query_tokens_total";
constexpr std::string_view kPrefixHits = "llm_engine_prefix_cache_hit_tokens_total";
constexpr std::string_view kFirstToken = "llm_engine_time_to_first_token_seconds";
constexpr std::string_view kInterToken = "llm_engine_inter_token_latency_seconds";
constexpr std::string_view kDuration = "llm_engine_request_duration_seconds";
constexpr std::string_view kQueue = "llm_engine_queue_duration_seconds";

// Several rows of one canonical name add up (llama.cpp counts prompt tokens from its cache apart) unless they are the
// old and the new name of one thing, of which an engine shows only one.
constexpr Row kRows[] = {
    {"vllm:num_requests_running", kRunning},
    {"vllm:num_requests_waiting", kWaiting},
    {"vllm:kv_cache_usage_perc", kKvUsage, Shape::Max},
    {"vllm:gpu_cache_usage_perc", kKvUsage, Shape::Max},  // Its name before 0.10.
    {"vllm:prompt_tokens", kPromptTokens},
    {"vllm:generation_tokens", kGenerationTokens},
    {"vllm:num_preemptions", kPreemptions},
    {"vllm:prefix_cache_queries", kPrefixQueries},
    {"vllm:prefix_cache_hits", kPrefixHits},
    {"vllm:time_to_first_token_seconds", kFirstToken, Shape::Histogram},
    {"vllm:inter_token_latency_seconds", kInterToken, Shape::Histogram},
    {"vllm:e2e_request_latency_seconds", kDuration, Shape::Histogram},
    {"vllm:request_queue_time_seconds", kQueue, Shape::Histogram},

    {"sglang:num_running_reqs", kRunning},
    {"sglang:num_queue_reqs", kWaiting},
    {"sglang:token_usage", kKvUsage, Shape::Max},
    {"sglang:prompt_tokens", kPromptTokens},
    {"sglang:generation_tokens", kGenerationTokens},
    {"sglang:num_retracted_requests", kPreemptions},
    {"sglang:time_to_first_token_seconds", kFirstToken, Shape::Histogram},
    {"sglang:inter_token_latency_seconds", kInterToken, Shape::Histogram},
    {"sglang:e2e_request_latency_seconds", kDuration, Shape::Histogram},
    {"sglang:queue_time_seconds", kQueue, Shape::Histogram},

    {"trtllm_num_requests_running", kRunning},
    {"trtllm_num_requests_waiting", kWaiting},
    {"trtllm_kv_cache_utilization", kKvUsage, Shape::Max},
    {"trtllm_prompt_tokens", kPromptTokens},
    {"trtllm_generation_tokens", kGenerationTokens},
    {"trtllm_time_to_first_token_seconds", kFirstToken, Shape::Histogram},
    {"trtllm_e2e_request_latency_seconds", kDuration, Shape::Histogram},
    {"trtllm_request_queue_time_seconds", kQueue, Shape::Histogram},

    {"lmdeploy:num_requests_running", kRunning},
    {"lmdeploy:num_requests_waiting", kWaiting},
    {"lmdeploy:gpu_cache_usage_perc", kKvUsage, Shape::Max},
    {"lmdeploy:prompt_tokens", kPromptTokens},
    {"lmdeploy:generation_tokens", kGenerationTokens},
    {"lmdeploy:time_to_first_token_seconds", kFirstToken, Shape::Histogram},
    {"lmdeploy:iter_token_latency", kInterToken, Shape::Histogram},
    {"lmdeploy:e2e_request_latency_seconds", kDuration, Shape::Histogram},
    {"lmdeploy:request_queue_time_seconds", kQueue, Shape::Histogram},

    {"tgi_batch_current_size", kRunning},
    {"tgi_queue_size", kWaiting},
    {"tgi_request_input_length_sum", kPromptTokens},
    {"tgi_request_generated_tokens_sum", kGenerationTokens},
    {"tgi_request_duration", kDuration, Shape::Histogram},
    {"tgi_request_queue_duration", kQueue, Shape::Histogram},

    {"llamacpp:requests_processing", kRunning},
    {"llamacpp:requests_deferred", kWaiting},
    {"llamacpp:kv_cache_usage_ratio", kKvUsage, Shape::Max},  // Removed in 2025.
    {"llamacpp:prompt_tokens", kPromptTokens},
    {"llamacpp:prompt_tokens_cached", kPromptTokens},
    {"llamacpp:tokens_predicted", kGenerationTokens},
    {"llamacpp:prompt_tokens_cached", kPrefixHits},
};

struct Match {
    const Row* row;
    std::string name;  // Canonical, with the histogram's suffix.
};

// Every exposition name that matches, made once from the table: with and without "_total", a histogram's three series,
// and vLLM's three spellings.
const std::unordered_multimap<std::string, Match>& matches() {
    static const auto all = [] {
        std::unordered_multimap<std::string, Match> made;
        auto spell = [&made](const std::string& own, const Match& match) {
            made.emplace(own, match);
            if (!own.starts_with("vllm:")) return;
            made.emplace("vllm_" + own.substr(5), match);      // Through OpenTelemetry.
            made.emplace("ray_vllm_" + own.substr(5), match);  // Through Ray Serve.
        };
        for (const Row& row : kRows) {
            std::string own(row.own);
            std::string canonical(row.canonical);
            if (row.shape == Shape::Histogram) {
                for (const char* suffix : {"_bucket", "_sum", "_count"})
                    spell(own + suffix, {&row, canonical + suffix});
            } else {
                spell(own, {&row, canonical});
                spell(own + "_total", {&row, canonical});
            }
        }
        return made;
    }();
    return all;
}

bool is_rank(std::string_view label) {
    return label == "tp_rank" || label == "pp_rank" || label == "moe_ep_rank" || label == "ep_rank";
}

}  // namespace

void Canonical::add(const wire::ExpositionSample& sample) {
    auto [begin, end] = matches().equal_range(std::string(sample.name));
    for (auto match = begin; match != end; ++match) {
        Group group{match->second.name, "", ""};
        // One name's two spellings must not add up, two things of one canonical name must: so the row tells them apart.
        std::string engine = std::string(match->second.row->own);
        auto labels = sample.labels;
        std::sort(labels.begin(), labels.end());
        for (const auto& [name, value] : labels) {
            if (name == "model_name")
                group.model = value;
            else if (name == "le" && match->second.row->shape == Shape::Histogram)
                group.le = value;
            else if (!is_rank(name))
                engine.append(1, '\0').append(name).append(1, '\0').append(value);
        }
        Parts& parts = groups_[group];
        parts.sum = match->second.row->shape != Shape::Max;
        auto [part, fresh] = parts.by_engine.try_emplace(std::move(engine), sample.value);
        if (!fresh) part->second = std::max(part->second, sample.value);
    }
}

std::vector<Canonical::Value> Canonical::values() const {
    std::vector<Value> out;
    for (const auto& [group, parts] : groups_) {
        double total = 0;
        bool first = true;
        for (const auto& [engine, value] : parts.by_engine) {
            total = first ? value : parts.sum ? total + value : std::max(total, value);
            first = false;
        }
        SampleBatch::Pairs labels;
        if (!group.model.empty()) labels.emplace_back("model", group.model);
        if (!group.le.empty()) labels.emplace_back("le", group.le);
        out.push_back({group.name, std::move(labels), total});
    }
    return out;
}

}  // namespace stoker::collect
