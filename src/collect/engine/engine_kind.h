// The inference engines that Stoker knows by name.
#pragma once

#include <cstdint>
#include <string_view>

namespace stoker::collect {

enum class EngineKind : std::uint8_t {
    Unknown,
    Vllm,
    SgLang,
    Tgi,
    LlamaCpp,
    Ollama,
    LmDeploy,
    TensorRtLlm,
    OpenAi  // Speaks OpenAI's API, and that is all we know.
};

// "vllm", "sglang", "tgi", "llama.cpp", "ollama", "lmdeploy", "tensorrt-llm", "openai"; "" for Unknown.
std::string_view to_string(EngineKind kind);
// Unknown for any other text.
EngineKind engine_kind(std::string_view name);

// Where engines listen unless told otherwise: vLLM (and others), SGLang, TGI and llama.cpp, Ollama, LMDeploy.
inline constexpr std::uint16_t kEnginePorts[] = {8000, 30000, 8080, 11434, 23333};

// Where this engine shows its metrics; empty if it has none.
std::string_view metrics_path(EngineKind kind);

}  // namespace stoker::collect
