// Which inference engine a replica is, as far as the gateway must know: by the owner that its list of models names.
// Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/balance/engine_load.h"

namespace stoker::gateway {

enum class EngineKind : std::uint8_t { Unknown, Vllm, Sglang, LlamaCpp, Other };

// Reads the answer of GET /v1/models. Unknown if that is no such list; Other if it is nobody's known here.
EngineKind engine_of_models(std::string_view json);

// The LoRA adapters in such a list, by name: the entries that name a parent, as vLLM's and SGLang's do. At most 1,000.
std::vector<LoraAdapter> adapters_of_models(std::string_view json);

// Those in the answer of llama.cpp's GET /lora-adapters, by name: their files' names without folder and ".gguf". One
// that the server does not apply of its own accord (scale 0) is to be applied wholly. At most 1,000.
std::vector<LoraAdapter> adapters_of_llama_cpp(std::string_view json);

// How a request asks for an adapter.
struct AdapterAsk {
    std::string model;   // What it names as its model.
    std::string member;  // What its body says beside that, as "name":value; empty: nothing.
};

// Asks an engine for `adapter` of the model that it calls `base`.
AdapterAsk ask_for_adapter(EngineKind kind, std::string_view base, const LoraAdapter& adapter);

// Whether it goes on with a last message of the assistant when it is asked to by continue_final_message.
bool continues_messages(EngineKind kind);

}  // namespace stoker::gateway
