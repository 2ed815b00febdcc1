#include "gateway/upstream/engine_kind.h"

#include <algorithm>

#include "wire/openai_json.h"

namespace stoker::gateway {
namespace {

EngineKind kind_of_owner(std::string_view owner) {
    if (owner == "vllm") return EngineKind::Vllm;
    if (owner == "sglang") return EngineKind::Sglang;
    if (owner == "llamacpp") return EngineKind::LlamaCpp;
    return EngineKind::Other;
}

struct Entry {
    std::string_view id{};
    std::string_view owner{};
    bool owned = false;
    bool has_parent = false;
};

// Visits the entries of a list of models; false if it is no such list.
template <typename Visit>
bool each_model(std::string_view text, const Visit& visit) {
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
            Entry entry;
            json.begin_object();
            for (std::string_view field; json.next_key(field);) {
                if (json.peek() != wire::JsonKind::String) {
                    json.skip();
                    continue;
                }
                const std::string_view value = json.raw_string();
                if (field == "id") entry.id = value;
                if (field == "parent") entry.has_parent = !value.empty();
                if (field == "owned_by") {
                    entry.owner = value;
                    entry.owned = true;
                }
            }
            visit(entry);
        }
    }
    return json.end();
}

}  // namespace

EngineKind engine_of_models(std::string_view text) {
    EngineKind kind = EngineKind::Unknown;
    const bool whole = each_model(text, [&kind](const Entry& entry) {
        // A LoRA adapter may have another owner than the engine that serves it.
        if (!entry.owned) return;
        if (kind == EngineKind::Unknown || kind == EngineKind::Other) kind = kind_of_owner(entry.owner);
    });
    return whole ? kind : EngineKind::Unknown;
}

std::vector<std::string> adapters_of_models(std::string_view text) {
    constexpr std::size_t kMost = 1'000;
    constexpr std::size_t kLongestName = 256;
    std::vector<std::string> names;
    const bool whole = each_model(text, [&names](const Entry& entry) {
        // A name that had to be escaped is none that a request could be routed by.
        const bool plain = entry.id.find('\\') == std::string_view::npos;
        if (!entry.has_parent || entry.id.empty() || entry.id.size() > kLongestName || !plain) return;
        if (names.size() < kMost) names.emplace_back(entry.id);
    });
    if (!whole) names.clear();
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

std::string adapter_model(EngineKind kind, std::string_view base, std::string_view adapter) {
    if (kind != EngineKind::Sglang) return std::string(adapter);
    return std::string(base) + ":" + std::string(adapter);
}

bool continues_messages(EngineKind kind) {
    return kind == EngineKind::Vllm || kind == EngineKind::Sglang || kind == EngineKind::LlamaCpp;
}

}  // namespace stoker::gateway
