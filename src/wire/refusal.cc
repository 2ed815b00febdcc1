#include "wire/refusal.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "wire/openai_json.h"

namespace stoker::wire {
namespace {

constexpr std::size_t kLongestRead = 2000;  // Of a message: the reason stands at its beginning.

constexpr std::array<std::string_view, 3> kLengthCodes = {
    "context_length_exceeded",    // OpenAI, Azure, Groq
    "exceed_context_size_error",  // llama.cpp
    "string_above_max_length",    // OpenAI, of one input of embeddings
};

constexpr std::array<std::string_view, 18> kLengthWords = {
    "maximum context length",                        // OpenAI, vLLM, SGLang, Mistral, DeepSeek
    "longer than the maximum model length",          // vLLM
    "longer than the model's context length",        // SGLang
    "exceeds the model's maximum context",           // SGLang
    "exceeds the available context size",            // llama.cpp
    "larger than the context size",                  // llama.cpp
    "exceed context window",                         // llama-cpp-python
    "exceeds the context window",                    // OpenAI, Responses
    "exceed context limit",                          // Anthropic: prompt and max_tokens together
    "prompt is too long",                            // Anthropic
    "input is too long",                             // Bedrock
    "`max_new_tokens` must be <=",                   // TGI
    "`inputs` must have less than",                  // TGI
    "exceeds the maximum number of tokens allowed",  // Gemini
    "exceeds maximum input length",                  // TensorRT-LLM
    "exceeds max_num_tokens",                        // TensorRT-LLM
    "range of input length should be",               // DashScope
    "reduce the length of the",                      // OpenAI and those who speak like it
};

constexpr std::array<std::string_view, 8> kContentCodes = {
    "content_filter",                // Azure, Groq
    "content_policy_violation",      // OpenAI, images
    "moderation_blocked",            // OpenAI, images
    "responsibleaipolicyviolation",  // Azure, the inner error
    "data_inspection_failed",        // DashScope
    "datainspectionfailed",          // DashScope
    "contentfilter",                 // Zhipu
    "prohibited_content",            // Gemini
};

constexpr std::array<std::string_view, 8> kContentWords = {
    "content management policy",  // Azure
    "content filtering policy",   // Anthropic
    "safety system",              // OpenAI
    "usage guidelines",           // xAI
    "content exists risk",        // DeepSeek
    "inappropriate content",      // DashScope
    "input was flagged",          // OpenRouter
    "violates our usage policy",  // OpenAI
};

std::string lower(std::string_view raw) {
    std::string text = unescape(raw.substr(0, kLongestRead));
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

template <typename Words>
bool equals_one(std::string_view text, const Words& words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

template <typename Words>
bool holds_one(std::string_view text, const Words& words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

// Collects what an error says of itself, wherever it says it.
class Reader {
public:
    explicit Reader(std::string_view body) : json_(body) {}

    Refusal read() {
        object(0);
        return json_.end() ? found_ : Refusal::Other;
    }

private:
    static constexpr int kDeepest = 4;  // {"error": {"innererror": {"code": ...}}}, and one to spare.

    void object(int depth) {
        if (json_.peek() != JsonKind::Object || depth == kDeepest) {
            json_.skip();
            return;
        }
        json_.begin_object();
        for (std::string_view key; json_.next_key(key);) member(key, depth);
    }

    void member(std::string_view key, int depth) {
        const bool text = json_.peek() == JsonKind::String;
        if (text && (key == "code" || key == "type" || key == "error_type" || key == "status")) {
            note(lower(json_.raw_string()), kLengthCodes, kContentCodes,
                 [](const std::string& said, const auto& words) { return equals_one(said, words); });
        } else if (text && (key == "message" || key == "error" || key == "detail")) {
            note(lower(json_.raw_string()), kLengthWords, kContentWords,
                 [](const std::string& said, const auto& words) { return holds_one(said, words); });
        } else if (key == "error" || key == "innererror" || key == "detail") {
            object(depth + 1);
        } else {
            json_.skip();
        }
    }

    template <typename Lengths, typename Contents, typename Match>
    void note(const std::string& said, const Lengths& lengths, const Contents& contents, Match match) {
        if (found_ != Refusal::Other) return;
        if (match(said, lengths))
            found_ = Refusal::ContextTooLong;
        else if (match(said, contents))
            found_ = Refusal::ContentRefused;
    }

    JsonCursor json_;
    Refusal found_ = Refusal::Other;
};

}  // namespace

Refusal classify_refusal(int status, std::string_view body) {
    // Whoever is not let in, or must wait, is not refused for what is in the request, whatever the words.
    if (status < 400 || status >= 500 || status == 401 || status == 404 || status == 429) return Refusal::Other;
    return Reader(body).read();
}

bool is_filtered(std::string_view finish_reason) {
    return finish_reason == "content_filter" || finish_reason == "refusal";  // OpenAI and others; Anthropic
}

}  // namespace stoker::wire
