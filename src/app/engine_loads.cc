#include "app/engine_loads.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace stoker::app {
namespace {

constexpr std::string_view kRunning = "llm_engine_requests_running";
constexpr std::string_view kWaiting = "llm_engine_requests_waiting";
constexpr std::string_view kPromptTokens = "llm_engine_prompt_tokens_total";
constexpr std::string_view kGenerationTokens = "llm_engine_generation_tokens_total";
constexpr std::string_view kKvUsage = "llm_engine_kv_usage_ratio";
constexpr std::string_view kKvCapacity = "llm_engine_kv_capacity_tokens";
constexpr std::string_view kLora = "vllm:lora_requests_info";  // In its labels; the value is when it was so.

std::int64_t number(std::string_view text) {
    constexpr std::int64_t kMost = 1'000'000'000;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value > 0 && value <= kMost ? value : 0;
}

gateway::AdapterActivity activity_of(const tsdb::Labels& labels) {
    constexpr std::size_t kMost = 1'000;
    gateway::AdapterActivity activity;
    activity.slots = number(labels.get("max_lora"));
    for (const std::string_view key : {"running_lora_adapters", "waiting_lora_adapters"}) {
        std::string_view names = labels.get(key);
        while (!names.empty() && activity.active.size() < kMost) {
            const auto end = std::min(names.find(','), names.size());
            if (end > 0) activity.active.emplace_back(names.substr(0, end));
            names.remove_prefix(std::min(end + 1, names.size()));
        }
    }
    std::sort(activity.active.begin(), activity.active.end());
    activity.active.erase(std::unique(activity.active.begin(), activity.active.end()), activity.active.end());
    return activity;
}

// When the page was asked for, by the clock that doesn't jump.
SteadyTime moment(std::int64_t sample_ms, Timestamp time, SteadyTime clock) {
    return clock - Duration{std::max<std::int64_t>(0, to_millis(time) - sample_ms)};
}

}  // namespace

std::vector<ReplicaLoadReport> replica_loads(const std::vector<tsdb::SeriesSample>& samples, Timestamp time,
                                             SteadyTime clock) {
    std::vector<ReplicaLoadReport> loads;
    for (const tsdb::SeriesSample& sample : samples) {
        const std::string_view name = sample.labels.metric();
        const bool running = name == kRunning;
        const bool counts = running || name == kWaiting;
        const bool tokens = name == kPromptTokens || name == kGenerationTokens;
        if (!counts && !tokens && name != kKvUsage && name != kKvCapacity && name != kLora) continue;
        const std::string_view replica = sample.labels.get("replica");
        const double value = sample.sample.value;
        if (replica.empty() || !std::isfinite(value) || value < 0) continue;  // NaN: the series ends.
        auto found =
            std::find_if(loads.begin(), loads.end(), [&](const auto& load) { return load.replica == replica; });
        if (found == loads.end()) found = loads.insert(loads.end(), {std::string(replica), {}});
        gateway::EngineLoad& load = found->report.load;
        if (name == kLora) {
            // One series for each set that ever was: the latest counts.
            if (value < found->activity_at) continue;
            found->activity_at = value;
            found->report.activity = activity_of(sample.labels);
        } else if (counts) {
            (running ? load.running : load.waiting) += value;
            load.at = moment(sample.sample.time, time, clock);
        } else if (tokens) {
            load.tokens = std::max<std::int64_t>(load.tokens, 0) + std::llround(std::min(value, 1e15));
        } else if (name == kKvUsage) {
            load.kv_usage = std::max(load.kv_usage, std::min(value, 1.0));
        } else {
            load.kv_tokens += std::llround(std::min(value, 1e12));
        }
    }
    std::erase_if(loads, [](const ReplicaLoadReport& load) { return !load.report.load.known(); });
    return loads;
}

void EngineLoads::append(const std::vector<tsdb::SeriesSample>& samples) {
    for (const auto& load : replica_loads(samples, now(), std::chrono::steady_clock::now())) {
        report_(load.replica, load.report);
    }
    next_.append(samples);
}

void EngineLoads::append_exemplars(const std::vector<tsdb::SeriesExemplars>& exemplars) {
    next_.append_exemplars(exemplars);
}

void EngineLoads::set_metadata(const std::vector<tsdb::FamilyMetadata>& metadata) {
    next_.set_metadata(metadata);
}

}  // namespace stoker::app
