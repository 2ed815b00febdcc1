// Degradation: serving less of each request so that most can still be served.
//
// Five levels. Conditions (a value over any metric, with a threshold for each level) raise them, see
// degradation_state.h; what a level does to requests is in LevelActions. Plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "gateway/auth/identity.h"

namespace stoker::gateway {

enum class DegradationLevel : std::uint8_t { Normal, Light, Medium, Heavy, Emergency };
inline constexpr std::size_t kDegradationLevels = 5;

std::string_view to_string(DegradationLevel level);  // "normal", "light", ...
// Its name or its number, "0" to "4".
std::optional<DegradationLevel> parse_degradation_level(std::string_view text);

// What raises the level.
struct DegradationCondition {
    std::string name{};
    std::string query{};  // PromQL; a result with a label `pool` speaks of that pool only, any other of all.
    // By level; index 0 is unused. Nothing: this condition never asks for that level.
    std::array<std::optional<double>, kDegradationLevels> thresholds{};
};

// What a level does to a request. Levels do not add up: each says all that it does.
struct LevelActions {
    std::vector<std::string> drop{};              // Members of the request's body that are left out.
    std::int64_t max_tokens = 0;                  // Cap of the answer; 0: none.
    std::size_t max_prompt_bytes = 0;             // Longer prompts are refused; 0: none are.
    std::map<std::string, std::string> models{};  // Smaller models to use instead.
    std::optional<Priority> refuse_up_to{};       // Requests of this class and lower ones are refused.
    bool cache_only = false;                      // Answered from the cache, or refused.
    std::string answer{};                         // Answered with this instead of being refused, where the API allows.
};

struct DegradationOptions {
    bool enabled = false;
    Duration interval{5'000};       // Between two looks at the conditions.
    Duration raise_after{30'000};   // A threshold must be reached for so long,
    Duration clear_after{120'000};  // and left alone for so long.
    double clear_ratio = 0.8;       // Left alone: below this part of the threshold.
    std::vector<DegradationCondition> conditions{};
    std::array<LevelActions, kDegradationLevels> levels{};  // Index 0 is unused.
    std::vector<std::string> exempt_tenants{};              // Whose requests are never cut back.
};

// The conditions and actions that Stoker comes with.
std::vector<DegradationCondition> default_degradation_conditions();
std::array<LevelActions, kDegradationLevels> default_level_actions();

}  // namespace stoker::gateway
