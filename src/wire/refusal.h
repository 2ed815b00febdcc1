// Why an engine or a provider refused a request, as far as its 4xx tells: another model may take what this one can't.
//
// There is no common code for it, so both codes and the words of messages are known: those of OpenAI, Azure, Anthropic,
// Gemini, Mistral, DeepSeek, DashScope, vLLM, SGLang, llama.cpp, TGI and TensorRT-LLM. What is not known is Other,
// which is never wrong: the client then reads the refusal itself. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace stoker::wire {

enum class Refusal : std::uint8_t {
    Other,           // The client's own mistake, as far as anyone can tell.
    ContextTooLong,  // Prompt, or prompt and answer together, are longer than the model takes.
    ContentRefused   // A content policy or a filter refused what was asked.
};

// Of an answer or an error event with this status (4xx; anything else is Other) and this JSON.
Refusal classify_refusal(int status, std::string_view body);

// A finish_reason that says that a filter took the answer away.
bool is_filtered(std::string_view finish_reason);

}  // namespace stoker::wire
