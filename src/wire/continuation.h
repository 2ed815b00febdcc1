// Going on with an answer that broke off: the request that has another engine continue it, and that engine's events
// made to look like the ones before them.
//
// Engines that can continue a message take it as the last one of the chat with continue_final_message on and
// add_generation_prompt off (vLLM, SGLang, llama.cpp); a completion is continued by a prompt that ends in what there is
// already. Text is kept as JSON writes it between the quotes: pieces can be joined and sent back without a decoder.
//
// What reaches the client is exact in tokens: none is missing and none comes twice, whatever the second engine makes of
// the text. Where the first one was sampled, what follows is another sample. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stoker::wire {

// Why an answer can't be continued by what its request asked for; stands in Error::detail.
enum class ContinuationBar : std::uint16_t {
    None = 0,
    NotText,      // No `messages` or `prompt`, a prompt of token ids or of several texts, audio.
    ManyChoices,  // n, best_of or beam search: more than one answer is under way.
    Logprobs,     // Positions and log probabilities would not join.
    Structured,   // A grammar's state can't be taken along.
    Prefilled,    // The client continues a message itself, or wants the prompt echoed, or a suffix.
};
std::string_view to_string(ContinuationBar bar);  // "many_choices"

// What the client has of the answer.
struct AnswerSoFar {
    std::string text;  // As JSON writes it, without quotes.
    std::int64_t tokens = 0;
};

struct ContinuationRequest {
    std::string body;
    std::string held_back;  // White space at the text's end that was not sent, decoded: chat templates trim it.
    bool complete = false;  // All tokens that were asked for are there: nothing is left to ask.
};

// The client's `body` as a request for the rest: max_tokens and min_tokens less what there is. Errors: InvalidArgument
// with a ContinuationBar in detail. REQUIRES: `body` passed scan_request().
Result<ContinuationRequest> continue_request(std::string_view body, const AnswerSoFar& so_far);

// What all events of a stream have in common, as JSON values; empty: not there.
struct StreamIdentity {
    std::string id;
    std::string created;
    std::string model;
    std::string fingerprint;
};
StreamIdentity read_identity(std::string_view event);

// Makes the events of a continuation those of the stream it continues.
class Splice {
public:
    // `held_back` as continue_request() said; `pieces`: in how many events the text before came.
    Splice(StreamIdentity identity, const AnswerSoFar& so_far, std::int64_t pieces, std::string held_back);

    // One event's data as the client gets it: the identity of the first stream, no second role, usage of the whole.
    // Empty: nothing is left of it. REQUIRES: `event` is a JSON object.
    std::optional<std::string> rewrite(std::string_view event);

private:
    struct Walk;
    std::string without_what_is_there(std::string text);

    const StreamIdentity identity_;
    const std::int64_t tokens_;
    std::string echo_;       // Decoded: an engine may begin with all of the text once more.
    std::string held_back_;  // Decoded: what the engine has to say again before it says anything new.
};

}  // namespace stoker::wire
