// Which inference engine a replica is, as far as the gateway must know: by the owner that its list of models names.
// Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stoker::gateway {

enum class EngineKind : std::uint8_t { Unknown, Vllm, Sglang, LlamaCpp, Other };

// Reads the answer of GET /v1/models. Unknown if that is no such list; Other if it is nobody's known here.
EngineKind engine_of_models(std::string_view json);

// The LoRA adapters in such a list, in order: the entries that name a parent, as vLLM's and SGLang's do. At most 1,000.
std::vector<std::string> adapters_of_models(std::string_view json);

// How a request names an adapter of the model that the engine calls `base`.
std::string adapter_model(EngineKind kind, std::string_view base, std::string_view adapter);

// Whether it goes on with a last message of the assistant when it is asked to by continue_final_message.
bool continues_messages(EngineKind kind);

}  // namespace stoker::gateway
