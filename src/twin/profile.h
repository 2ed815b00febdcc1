// Profiles: what a simulated engine's hardware and model can do, as one table (profile.cc).
//
// The times are estimates from a roofline (bytes of weights and KV cache over memory bandwidth, FLOPs over compute),
// not measurements: good for shapes and ratios, not for quoting.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stoker::twin {

using Nanos = std::chrono::nanoseconds;

struct Profile {
    std::string name;
    std::string summary{};

    // One scheduler step takes step_base + decodes * per_sequence + (KV tokens read) * per_context_token
    // + (prompt tokens computed) * per_prompt_token.
    Nanos step_base{0};
    Nanos per_sequence{0};
    Nanos per_context_token{0};
    Nanos per_prompt_token{0};

    std::uint32_t kv_blocks = 0;
    std::uint32_t block_tokens = 16;
    std::uint32_t max_batch = 256;         // Sequences that run together.
    std::uint32_t max_step_tokens = 8192;  // Prompt chunks and decodes of one step.
    std::uint32_t max_context = 8192;      // Prompt and answer of one request.
    std::uint32_t default_output = 200;    // Where an answer ends by itself.
    bool prefix_cache = true;

    // No delays and no scheduler: every token is there at once.
    bool instant() const { return step_base == Nanos{0}; }
};

const std::vector<Profile>& profiles();

// Errors: NotFound, naming the known ones.
Result<Profile> find_profile(std::string_view name);

}  // namespace stoker::twin
