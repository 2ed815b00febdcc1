// What a request to the simulated engine asks for, and the text it gets.
//
// The text is numbered words, "w0 w1 w2 ...", one word a token, so that a client sees at once whether a token is
// missing, doubled or out of order. A request whose last message or prompt ends in such a word, and which asks to
// continue it, goes on with the next number, as a model would continue its own text.
//
// Tokens are counted as one for each started 4 bytes of text, and 4 for each chat message; a prompt given as token ids
// counts exactly, and so do the words of an answer that is to be continued: it costs what it cost when it was made.
// Pure functions, thread-safe.
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

enum class Endpoint : std::uint8_t { Chat, Completion, Embedding, Messages, Responses };

// How a chat whose last message is the assistant's is taken.
enum class Continuation : std::uint8_t {
    Vllm,     // Continued if continue_final_message is true; a turn of its own otherwise.
    LlamaCpp  // Always continued; without continue_final_message the answer begins with that message once more.
};

struct GenerationRequest {
    Endpoint endpoint = Endpoint::Chat;
    std::string model;
    bool stream = false;
    bool include_usage = false;
    bool ignore_eos = false;
    std::optional<std::uint32_t> max_tokens;
    std::vector<std::string> stop;
    std::uint32_t inputs = 1;                // Embeddings: how many texts.
    std::vector<std::uint64_t> input_seeds;  // Embeddings: a hash of each text; empty for token ids.
    std::string tool;                        // The tool that must be called; empty: none.
    std::uint32_t prompt_tokens = 0;
    std::vector<BlockHash> prefix;  // Of full blocks of 16 tokens.
    std::uint64_t first_word = 0;
    bool asks_continuation = false;  // By continue_final_message.
    std::string echo;                // What the answer begins with before its first word.
};

// What stands in Error::detail when a request is refused: the HTTP status that vLLM gives.
// Errors: InvalidArgument (400), NotFound (404).
Result<GenerationRequest> parse_generation_request(Endpoint endpoint, std::string_view body,
                                                   Continuation continuation = Continuation::Vllm);

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
