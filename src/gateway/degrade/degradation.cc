#include "gateway/degrade/degradation.h"

#include "base/text.h"

namespace stoker::gateway {
namespace {

constexpr std::array<std::string_view, kDegradationLevels> kNames = {"normal", "light", "medium", "heavy", "emergency"};

}  // namespace

std::string_view to_string(DegradationLevel level) {
    return kNames[static_cast<std::size_t>(level)];
}

std::optional<DegradationLevel> parse_degradation_level(std::string_view text) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (text == kNames[i] || text == std::to_string(i)) return static_cast<DegradationLevel>(i);
    }
    return {};
}

// What the gateway itself refuses (`rejected`) is no error here: refusing must not be what keeps the level up.
std::vector<DegradationCondition> default_degradation_conditions() {
    return {
        {"latency",
         "histogram_quantile(0.95, sum by (pool, le) (rate(llm_time_to_first_token_seconds_bucket[1m])))",
         {{{}, 2.0, 5.0, 10.0, {}}}},
        {"errors",
         "sum by (pool) (rate(llm_requests_total{outcome=~\"upstream_error|truncated\"}[1m]))"
         " / sum by (pool) (rate(llm_requests_total{pool!=\"\"}[1m]))",
         {{{}, 0.05, {}, {}, 0.5}}},
        {"gpu", "max(DCGM_FI_DEV_GPU_UTIL) / 100", {{{}, {}, 0.90, 0.98, {}}}},
        {"memory", "max(1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)", {{{}, {}, 0.95, 0.98, {}}}},
        {"active", "sum(llm_active_requests)", {{{}, {}, {}, {}, 1000.0}}},
    };
}

std::array<LevelActions, kDegradationLevels> default_level_actions() {
    const std::vector<std::string> optional{"logprobs", "top_logprobs", "best_of", "n"};
    std::array<LevelActions, kDegradationLevels> levels;
    levels[1] = {.drop = optional};
    levels[2] = {.drop = optional, .max_tokens = 1024};
    levels[3] = {.drop = optional, .max_tokens = 256, .max_prompt_bytes = 64 * 1024, .refuse_up_to = Priority::Low};
    levels[4] = {.drop = optional, .max_tokens = 64, .max_prompt_bytes = 16 * 1024, .refuse_up_to = Priority::Normal};
    return levels;
}

}  // namespace stoker::gateway
