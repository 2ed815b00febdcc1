// What a request to the simulated engine asks for, and the text it gets.
//
// The text is numbered words, "w0 w1 w2 ...", one word a token, so that a client sees at once whether a token is
// missing, doubled or out of order. A request whose last message (with continue_final_message) or prompt ends in such a
// word goes on with the next number, as a model would continue its own text.
//
// Tokens are counted as one for each started 4 bytes of text, and 4 for each chat message; a prompt given as token ids
// counts exactly. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "twin/block_pool.h"
#include "twin/profile.h"

namespace stoker::twin {

enum class Endpoint : std::uint8_t { Chat, Completion, Embedding };

struct GenerationRequest {
    Endpoint endpoint = Endpoint::Chat;
    std::string model;
    bool stream = false;
    bool include_usage = false;
    bool ignore_eos = false;
    std::optional<std::uint32_t> max_tokens;
    std::vector<std::string> stop;
    std::uint32_t inputs = 1;  // Embeddings: how many texts.
    std::uint32_t prompt_tokens = 0;
    std::vector<BlockHash> prefix;  // Of full blocks of 16 tokens.
    std::uint64_t first_word = 0;
};

// What stands in Error::detail when a request is refused: the HTTP status that vLLM gives.
// Errors: InvalidArgument (400), NotFound (404).
Result<GenerationRequest> parse_generation_request(Endpoint endpoint, std::string_view body);

// How long the answer gets and why it ends there.
struct OutputPlan {
    std::uint32_t tokens = 1;    // At least 1.
    bool cut_by_length = false;  // finish_reason "length", else "stop".
    bool drop_last = false;      // A stop string: the last token is counted but its text not shown.
};

// Errors: InvalidArgument when prompt and answer exceed the profile's context, in vLLM's words.
Result<OutputPlan> plan_output(const GenerationRequest& request, const Profile& profile);

// Appends word `index` of the answer: "w7" at the start, " w8" after.
void append_word(std::string& text, const GenerationRequest& request, std::uint32_t index);

}  // namespace stoker::twin
