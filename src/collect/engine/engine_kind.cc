#include "collect/engine/engine_kind.h"

#include <array>

namespace stoker::collect {
namespace {

struct Row {
    EngineKind kind;
    std::string_view name;
    std::string_view metrics_path;
};

constexpr std::array<Row, 9> kRows = {{
    {EngineKind::Unknown, "", "/metrics"},
    {EngineKind::Vllm, "vllm", "/metrics"},
    {EngineKind::SgLang, "sglang", "/metrics"},
    {EngineKind::Tgi, "tgi", "/metrics"},
    {EngineKind::LlamaCpp, "llama.cpp", "/metrics"},
    {EngineKind::Ollama, "ollama", ""},
    {EngineKind::LmDeploy, "lmdeploy", "/metrics"},
    {EngineKind::TensorRtLlm, "tensorrt-llm", "/prometheus/metrics"},  // Its /metrics is JSON.
    {EngineKind::OpenAi, "openai", "/metrics"},
}};

}  // namespace

std::string_view to_string(EngineKind kind) {
    return kRows[static_cast<std::size_t>(kind)].name;
}

EngineKind engine_kind(std::string_view name) {
    for (const auto& row : kRows) {
        if (row.name == name) return row.kind;
    }
    return EngineKind::Unknown;
}

std::string_view metrics_path(EngineKind kind) {
    return kRows[static_cast<std::size_t>(kind)].metrics_path;
}

}  // namespace stoker::collect
