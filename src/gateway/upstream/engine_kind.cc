#include "gateway/upstream/engine_kind.h"

#include "wire/openai_json.h"

namespace stoker::gateway {
namespace {

EngineKind kind_of_owner(std::string_view owner) {
    if (owner == "vllm") return EngineKind::Vllm;
    if (owner == "sglang") return EngineKind::Sglang;
    if (owner == "llamacpp") return EngineKind::LlamaCpp;
    return EngineKind::Other;
}

}  // namespace

EngineKind engine_of_models(std::string_view text) {
    EngineKind kind = EngineKind::Unknown;
    wire::JsonCursor json(text);
    json.begin_object();
    for (std::string_view key; json.next_key(key);) {
        if (key != "data" || json.peek() != wire::JsonKind::Array) {
            json.skip();
            continue;
        }
        json.begin_array();
        while (json.next_element()) {
            if (json.peek() != wire::JsonKind::Object) {
                json.skip();
                continue;
            }
            json.begin_object();
            for (std::string_view field; json.next_key(field);) {
                const bool owner = field == "owned_by" && json.peek() == wire::JsonKind::String;
                if (!owner) {
                    json.skip();
                    continue;
                }
                const EngineKind found = kind_of_owner(json.raw_string());
                // A LoRA adapter may have another owner than the engine that serves it.
                if (kind == EngineKind::Unknown || kind == EngineKind::Other) kind = found;
            }
        }
    }
    return json.end() ? kind : EngineKind::Unknown;
}

bool continues_messages(EngineKind kind) {
    return kind == EngineKind::Vllm || kind == EngineKind::Sglang || kind == EngineKind::LlamaCpp;
}

}  // namespace stoker::gateway
