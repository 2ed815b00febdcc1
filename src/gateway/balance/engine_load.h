// What an engine last said about its own load, and when. A plain value, taken from its metrics page by whoever reads
// those (app connects them); absent parts stay absent, never 0.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace stoker::gateway {

struct EngineLoad {
    SteadyTime at{};               // When the page was asked for; epoch: nothing is known.
    double running = 0;            // Requests that the engine computes.
    double waiting = 0;            // Requests that it has not begun.
    double kv_usage = -1;          // Share of the KV cache that is needed now, 0 to 1; below 0: not said.
    std::int64_t kv_tokens = 0;    // What the whole KV cache holds; 0: not said.
    std::int64_t tokens = -1;      // Prompt and generated, since the engine began; below 0: not said.
    std::int64_t outstanding = 0;  // What this gateway had there at that moment, as it counts itself.

    bool known() const { return at != SteadyTime{}; }
};

// How much it counts at `now`: wholly up to half of `stale_after`, then less and less, and nothing from `stale_after`.
inline double freshness(const EngineLoad& load, SteadyTime now, Duration stale_after) {
    if (!load.known()) return 0;
    const double age = std::chrono::duration<double>(now - load.at).count();
    const double limit = std::chrono::duration<double>(stale_after).count();
    return std::clamp(2 * (1 - age / limit), 0.0, 1.0);
}

// Requests there that did not come through this gateway: another gateway's, or somebody's who asks the engine directly.
inline double foreign_requests(const EngineLoad& load) {
    const double foreign = load.running + load.waiting - static_cast<double>(load.outstanding);
    return std::max(0.0, foreign);
}

// A LoRA adapter that an engine has loaded.
struct LoraAdapter {
    std::string name{};  // As requests call it.
    std::int64_t number =
        -1;            // Engines that are asked by number (llama.cpp): which one; below 0: it is asked for by name.
    double scale = 1;  // With a number: how strongly it is to be applied.

    bool operator==(const LoraAdapter&) const = default;
};

// The adapters that an engine works with, as its metrics say (vLLM).
struct AdapterActivity {
    std::vector<std::string> active;  // Of requests that run or wait.
    std::int64_t slots = 0;           // How many may run side by side; 0: not said.

    bool operator==(const AdapterActivity&) const = default;
};

// What an adapter's request meets at a replica, as far as its engine says.
enum class AdapterHeat : std::uint8_t {
    Unknown,
    Active,  // Others of its adapter are there: it joins them.
    Cold,    // Its weights must be brought in first, for which there is room.
    NoRoom   // Others' adapters take all places: it waits until one is done.
};
std::string_view to_string(AdapterHeat heat);  // snake_case

// What one look at an engine brought.
struct EngineReport {
    EngineLoad load;
    std::optional<AdapterActivity> activity{};
    bool knows_adapters = false;        // It was asked for its adapters, and answered.
    std::vector<LoraAdapter> adapters;  // By name, each once.
};

}  // namespace stoker::gateway
