// What an answer says of the tokens it took, in the words of all APIs: OpenAI's chat and responses, Anthropic's
// messages.
//
// Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "wire/openai_json.h"

namespace stoker::wire {

struct Usage {
    std::int64_t prompt_tokens = 0;  // All of them, cached or not.
    std::int64_t completion_tokens = 0;
    std::int64_t cached_tokens = 0;         // Part of prompt_tokens: read from a prompt cache.
    std::int64_t cache_written_tokens = 0;  // Part of prompt_tokens: put into one (Anthropic only).
    std::int64_t reasoning_tokens = 0;      // Part of completion_tokens.
    bool tells_cached = false;              // cached_tokens was said, if only as 0: many engines leave it out.

    bool operator==(const Usage&) const = default;
};

// Reads a `usage` object; empty if it counts no tokens (an audio API may count seconds). Anthropic's input_tokens leave
// out what the cache gave and took, OpenAI's include it: both come out as a whole prompt.
// REQUIRES: the cursor stands before an object.
std::optional<Usage> scan_usage(JsonCursor& json);

// Streams may tell their counts in parts, each as far as it has come: the larger of each.
Usage merge(const Usage& a, const Usage& b);

}  // namespace stoker::wire
