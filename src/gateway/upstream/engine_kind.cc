#include "gateway/upstream/engine_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

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

void add(std::vector<LoraAdapter>& adapters, LoraAdapter adapter) {
    constexpr std::size_t kMost = 1'000;
    constexpr std::size_t kLongestName = 256;
    // A name that had to be escaped is none that a request could be routed by.
    const bool plain = adapter.name.find('\\') == std::string::npos;
    if (adapter.name.empty() || adapter.name.size() > kLongestName || !plain) return;
    if (adapters.size() < kMost) adapters.push_back(std::move(adapter));
}

std::vector<LoraAdapter> in_order(std::vector<LoraAdapter> adapters) {
    std::stable_sort(adapters.begin(), adapters.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    const auto same = [](const LoraAdapter& a, const LoraAdapter& b) { return a.name == b.name; };
    adapters.erase(std::unique(adapters.begin(), adapters.end(), same), adapters.end());
    return adapters;
}

// "/some/where/sql.gguf" is "sql".
std::string stem_of(std::string_view path) {
    constexpr std::string_view kEnding = ".gguf";
    path.remove_prefix(path.find_last_of('/') + 1);  // npos + 1 is 0.
    if (path.ends_with(kEnding)) path.remove_suffix(kEnding.size());
    return std::string(path);
}

double number_in(std::string_view text) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
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

std::vector<LoraAdapter> adapters_of_models(std::string_view text) {
    std::vector<LoraAdapter> adapters;
    const bool whole = each_model(text, [&adapters](const Entry& entry) {
        if (entry.has_parent) add(adapters, {.name = std::string(entry.id)});
    });
    if (!whole) return {};
    return in_order(std::move(adapters));
}

std::vector<LoraAdapter> adapters_of_llama_cpp(std::string_view text) {
    std::vector<LoraAdapter> adapters;
    wire::JsonCursor json(text);
    json.begin_array();
    while (json.next_element()) {
        if (json.peek() != wire::JsonKind::Object) {
            json.skip();
            continue;
        }
        LoraAdapter adapter;
        double scale = 0;
        json.begin_object();
        for (std::string_view key; json.next_key(key);) {
            if (key == "path" && json.peek() == wire::JsonKind::String) {
                adapter.name = stem_of(json.raw_string());
            } else if (key == "id" && json.peek() == wire::JsonKind::Number) {
                adapter.number = json.integer().value_or(-1);
            } else if (key == "scale" && json.peek() == wire::JsonKind::Number) {
                scale = number_in(json.range().of(text));
            } else {
                json.skip();
            }
        }
        if (scale > 0) adapter.scale = scale;
        if (adapter.number >= 0) add(adapters, std::move(adapter));
    }
    if (!json.end()) return {};
    return in_order(std::move(adapters));
}

AdapterAsk ask_for_adapter(EngineKind kind, std::string_view base, const LoraAdapter& adapter) {
    // The model stays the base model's, beside which all other adapters count as scaled to 0.
    if (adapter.number >= 0) {
        return {std::string(base), fmt::format(R"("lora":[{{"id":{},"scale":{}}}])", adapter.number, adapter.scale)};
    }
    if (kind == EngineKind::Sglang) return {std::string(base) + ":" + adapter.name, {}};
    return {adapter.name, {}};
}

bool continues_messages(EngineKind kind) {
    return kind == EngineKind::Vllm || kind == EngineKind::Sglang || kind == EngineKind::LlamaCpp;
}

}  // namespace stoker::gateway
