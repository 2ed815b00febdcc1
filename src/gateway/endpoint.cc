#include "gateway/endpoint.h"

#include <algorithm>
#include <array>

namespace stoker::gateway {
namespace {

using wire::Dialect;

constexpr std::array kEndpoints = {
    Endpoint{"/v1/chat/completions", Dialect::Chat, true},
    Endpoint{"/v1/completions", Dialect::Chat, true},
    Endpoint{"/v1/embeddings", Dialect::Chat},
    Endpoint{"/v1/responses", Dialect::Responses},
    Endpoint{"/v1/messages", Dialect::Messages},
    Endpoint{"/v1/messages/count_tokens", Dialect::Messages},
    Endpoint{"/v1/rerank"},
    Endpoint{"/v2/rerank"},
    Endpoint{"/rerank"},
    Endpoint{"/v1/score"},
    Endpoint{"/score"},
    Endpoint{"/pooling"},
    Endpoint{"/classify"},
    Endpoint{"/tokenize"},
    Endpoint{"/detokenize"},
    Endpoint{"/v1/moderations"},
    Endpoint{"/v1/audio/transcriptions"},
    Endpoint{"/v1/audio/translations"},
    Endpoint{"/v1/audio/speech"},
    Endpoint{"/v1/images/generations"},
    Endpoint{"/v1/images/edits"},
    Endpoint{"/v1/images/variations"},
};

// Adapters are loaded and unloaded by whoever runs the engine, not by whoever may ask it.
constexpr std::string_view kManagement[] = {"/v1/load_lora_adapter", "/v1/unload_lora_adapter"};

// Nothing that an engine could read as another path than we do.
bool is_plain(std::string_view path) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
               c == '-' || c == '.';
    };
    return std::all_of(path.begin(), path.end(), plain) && path.find("..") == std::string_view::npos &&
           path.find("//") == std::string_view::npos && path.find("/.") == std::string_view::npos && path.back() != '/';
}

}  // namespace

std::span<const Endpoint> endpoint_table() {
    return kEndpoints;
}

std::optional<Endpoint> find_endpoint(std::string_view path) {
    for (const Endpoint& endpoint : kEndpoints) {
        if (endpoint.path == path) return endpoint;
    }
    const bool managing = std::find(std::begin(kManagement), std::end(kManagement), path) != std::end(kManagement);
    if (!path.starts_with("/v1/") || managing || !is_plain(path)) return {};
    return Endpoint{{}, error_dialect(path)};
}

wire::Dialect error_dialect(std::string_view path) {
    for (const Endpoint& endpoint : kEndpoints) {
        if (endpoint.path == path) return endpoint.dialect;
    }
    return path.starts_with("/v1/messages/") ? Dialect::Messages : Dialect::Other;
}

}  // namespace stoker::gateway
