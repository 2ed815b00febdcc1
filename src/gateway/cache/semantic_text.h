// What a request asks, in words, and all that surrounds the words: two requests
// may share an answer if they surround alike and ask about the same. Pure,
// thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stoker::gateway {

struct SemanticQuestion {
    std::string text;    // What is compared by meaning.
    std::string around;  // What must be identical: all other members, and the
                         // messages before the last one.
};

// Of chat completions, messages and completions, where the words are all that
// is asked: empty for images, audio, token ids, a last message that is not the
// user's. With `whole_conversation` the text is that of all messages. REQUIRES:
// `body` is a JSON object.
std::optional<SemanticQuestion> read_question(std::string_view body, bool whole_conversation, bool stream);

// The first embedding of an answer, scaled to length 1. Empty: it has none that
// is a list of numbers.
std::vector<float> read_embedding(std::string_view answer);

// REQUIRES: of one size.
float dot_product(std::span<const float> a, std::span<const float> b);

}  // namespace stoker::gateway
