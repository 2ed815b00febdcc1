#include "twin/profile.h"

namespace stoker::twin {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

std::vector<Profile> make_profiles() {
    return {
        {.name = "instant",
         .summary = "no delays at all: measures what stands in front of it",
         .kv_blocks = 1u << 20,
         .max_batch = 1u << 16,
         .max_context = 1u << 20,
         .default_output = 16,
         .prefix_cache = false},
        {.name = "tiny",
         .summary = "a small fast engine whose KV cache is easily filled, for tests",
         .step_base = milliseconds{2},
         .per_sequence = microseconds{20},
         .per_prompt_token = microseconds{20},
         .kv_blocks = 256,
         .max_batch = 8,
         .max_step_tokens = 512,
         .max_context = 2048,
         .default_output = 64},
        // 7 billion parameters at 16 bits (14 GB) over 300 GB/s; 128 KiB of KV a token; 6 GB left for the cache.
        {.name = "l4-7b",
         .summary = "7B at 16 bits on one L4 (24 GB)",
         .step_base = milliseconds{50},
         .per_sequence = microseconds{60},
         .per_context_token = Nanos{437},
         .per_prompt_token = microseconds{240},
         .kv_blocks = 2900,
         .max_batch = 64,
         .max_step_tokens = 2048,
         .max_context = 8192,
         .default_output = 200},
        // 16 GB over 3.35 TB/s and launch overhead; 54 GB left for the cache.
        {.name = "h100-8b",
         .summary = "8B at 16 bits on one H100 (80 GB)",
         .step_base = microseconds{6500},
         .per_sequence = microseconds{12},
         .per_context_token = Nanos{39},
         .per_prompt_token = microseconds{38},
         .kv_blocks = 25'700,
         .max_context = 32'768,
         .default_output = 200},
        // 140 GB over 4 x 3.35 TB/s and all-reduces; 320 KiB of KV a token; 140 GB left for the cache.
        {.name = "h100-70b",
         .summary = "70B at 16 bits on four H100 (tensor parallel)",
         .step_base = milliseconds{16},
         .per_sequence = microseconds{25},
         .per_context_token = Nanos{24},
         .per_prompt_token = microseconds{90},
         .kv_blocks = 26'700,
         .max_context = 32'768,
         .default_output = 200},
    };
}

}  // namespace

const std::vector<Profile>& profiles() {
    static const std::vector<Profile> all = make_profiles();
    return all;
}

Result<Profile> find_profile(std::string_view name) {
    std::string known;
    for (const Profile& profile : profiles()) {
        if (profile.name == name) return profile;
        known += (known.empty() ? "" : ", ") + profile.name;
    }
    return Error{Errc::NotFound, "no profile '" + std::string(name) + "'; known: " + known};
}

}  // namespace stoker::twin
