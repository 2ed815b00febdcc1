#include "api/genai_dialects.h"

#include <array>
#include <cmath>

#include "base/text.h"

namespace stoker::api {
namespace {

using wire::JsonAttributes;

struct Alias {
    std::string_view canonical;
    std::array<std::string_view, 5> others;  // In order: the first that is there counts.
};

// Sources: opentelemetry-semantic-conventions (gen-ai registry and its deprecated names), OpenInference's
// semantic_conventions.md, openllmetry's semconv_ai.
constexpr Alias kAliases[] = {
    {"gen_ai.provider.name", {"gen_ai.system", "llm.provider", "llm.system", "llm.vendor"}},
    {"gen_ai.request.model", {"llm.request.model", "llm.model_name", "embedding.model_name", "reranker.model_name"}},
    {"gen_ai.response.model", {"llm.response.model"}},
    {"gen_ai.usage.input_tokens", {"gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "llm.usage.prompt_tokens"}},
    {"gen_ai.usage.output_tokens",
     {"gen_ai.usage.completion_tokens", "llm.token_count.completion", "llm.usage.completion_tokens"}},
    {"gen_ai.usage.cache_read.input_tokens",
     {"gen_ai.usage.cache_read_input_tokens", "llm.token_count.prompt_details.cache_read"}},
    {"gen_ai.usage.cache_creation.input_tokens",
     {"gen_ai.usage.cache_creation_input_tokens", "llm.token_count.prompt_details.cache_write"}},
    {"gen_ai.usage.reasoning.output_tokens",
     {"gen_ai.usage.reasoning_tokens", "llm.token_count.completion_details.reasoning"}},
    {"gen_ai.request.max_tokens", {"llm.request.max_tokens"}},
    {"gen_ai.request.temperature", {"llm.temperature"}},
    {"gen_ai.request.top_p", {"llm.top_p"}},
    {"gen_ai.request.stream", {"llm.is_streaming"}},
    {"gen_ai.conversation.id",
     {"session.id", "traceloop.association.properties.session_id", "traceloop.association.properties.conversation_id"}},
    {"gen_ai.agent.name", {"agent.name"}},
    {"gen_ai.tool.name", {"tool.name"}},
    {"gen_ai.workflow.name", {"traceloop.workflow.name"}},
};

struct Operation {
    std::string_view dialect;    // What the other dialect calls it, in lower case.
    std::string_view canonical;  // gen_ai.operation.name
};

// openinference.span.kind
constexpr Operation kOpenInference[] = {
    {"llm", "chat"},          {"embedding", "embeddings"}, {"retriever", "retrieval"},
    {"tool", "execute_tool"}, {"agent", "invoke_agent"},   {"chain", "invoke_workflow"}};
// llm.request.type
constexpr Operation kRequestType[] = {{"chat", "chat"}, {"completion", "text_completion"}, {"embedding", "embeddings"}};
// traceloop.span.kind
constexpr Operation kTraceloop[] = {
    {"workflow", "invoke_workflow"}, {"agent", "invoke_agent"}, {"tool", "execute_tool"}};

const std::string* find(const JsonAttributes& attributes, std::string_view key) {
    for (const auto& [name, value] : attributes) {
        if (name == key) return &value;
    }
    return nullptr;
}

// The content of a JSON string without escapes; anything else as it stands.
std::string plain(const std::string& json) {
    if (json.size() >= 2 && json.front() == '"') return json.substr(1, json.size() - 2);
    return json;
}

template <std::size_t N>
std::string_view translate(const Operation (&table)[N], const std::string* value) {
    if (value == nullptr) return {};
    const std::string word = to_lower(plain(*value));
    for (const Operation& operation : table) {
        if (operation.dialect == word) return operation.canonical;
    }
    return {};
}

std::string_view operation_of(const JsonAttributes& attributes) {
    std::string_view operation = translate(kRequestType, find(attributes, "llm.request.type"));
    if (operation.empty()) operation = translate(kOpenInference, find(attributes, "openinference.span.kind"));
    if (operation.empty()) operation = translate(kTraceloop, find(attributes, "traceloop.span.kind"));
    return operation;
}

// A whole number, also from a text or a double, as some instrumentations send counts.
std::int64_t count_of(const JsonAttributes& attributes, std::string_view key) {
    const std::string* const value = find(attributes, key);
    if (value == nullptr) return records::kUnknownTokens;
    const auto number = parse_number(plain(*value));
    constexpr double kMost = 9e15;  // Whole numbers that a double holds.
    if (!number || !(*number >= 0) || *number > kMost) return records::kUnknownTokens;
    return static_cast<std::int64_t>(std::llround(*number));
}

std::string text_of(const JsonAttributes& attributes, std::string_view key) {
    const std::string* const value = find(attributes, key);
    return value == nullptr || *value == "null" ? std::string() : plain(*value);
}

}  // namespace

void normalise_genai(JsonAttributes& attributes) {
    const std::size_t sent = attributes.size();
    for (const Alias& alias : kAliases) {
        if (find(attributes, alias.canonical) != nullptr) continue;
        for (const std::string_view other : alias.others) {
            if (other.empty()) break;
            const std::string* const value = find(attributes, other);
            if (value == nullptr) continue;
            // session.id and the like say something of generations only where there is one.
            if (!other.starts_with("gen_ai.") && !other.starts_with("llm.") && !other.starts_with("embedding.") &&
                !other.starts_with("traceloop.") && find(attributes, "openinference.span.kind") == nullptr &&
                find(attributes, "traceloop.span.kind") == nullptr) {
                continue;
            }
            attributes.emplace_back(alias.canonical, std::string(*value));
            break;
        }
    }
    if (find(attributes, "gen_ai.operation.name") == nullptr) {
        const std::string_view operation = operation_of(attributes);
        if (!operation.empty()) attributes.emplace_back("gen_ai.operation.name", quote_json(operation));
    }
    // OpenLLMetry numbers its choices.
    if (find(attributes, "gen_ai.response.finish_reasons") == nullptr) {
        if (const std::string* reason = find(attributes, "gen_ai.completion.0.finish_reason")) {
            attributes.emplace_back("gen_ai.response.finish_reasons", "[" + std::string(*reason) + "]");
        }
    }
    if (attributes.size() > sent) attributes.emplace_back("stoker.genai.normalised", "true");
}

void set_genai_fields(const JsonAttributes& attributes, records::SpanRow& span) {
    span.operation = text_of(attributes, "gen_ai.operation.name");
    span.provider = text_of(attributes, "gen_ai.provider.name");
    span.model = text_of(attributes, "gen_ai.response.model");
    if (span.model.empty()) span.model = text_of(attributes, "gen_ai.request.model");
    span.input_tokens = count_of(attributes, "gen_ai.usage.input_tokens");
    span.output_tokens = count_of(attributes, "gen_ai.usage.output_tokens");
}

}  // namespace stoker::api
