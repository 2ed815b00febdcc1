#include "collect/engine/identify.h"

#include <array>
#include <nlohmann/json.hpp>

namespace stoker::collect {
namespace {

using Json = nlohmann::json;

constexpr int kEnough = 3;  // One piece of evidence that nobody else gives.

// The answers, read once.
class Evidence {
public:
    explicit Evidence(const std::vector<ProbeAnswer>& answers) : answers_(answers) {
        for (const auto& answer : answers) {
            if (answer.status != 200) continue;
            Json parsed = Json::parse(answer.body, nullptr, false);
            if (!parsed.is_discarded()) json_.emplace(answer.path, std::move(parsed));
        }
    }

    // The JSON of a 200 answer; null if there is none.
    const Json& json(const std::string& path) const {
        static const Json none;
        auto found = json_.find(path);
        return found == json_.end() ? none : found->second;
    }

    bool has(const std::string& path, std::initializer_list<const char*> keys) const {
        const Json& body = json(path);
        for (const char* key : keys) {
            if (!body.is_object() || !body.contains(key)) return false;
        }
        return true;
    }

    std::string text(const std::string& path, const char* key) const {
        const Json& body = json(path);
        auto found = body.is_object() ? body.find(key) : body.end();
        return body.is_object() && found != body.end() && found->is_string() ? found->get<std::string>() : "";
    }

    bool has_metric(std::string_view prefix) const {
        for (const auto& answer : answers_) {
            if (answer.status != 200 || (answer.path != "/metrics" && answer.path != "/prometheus/metrics")) continue;
            if (answer.body.starts_with(prefix) || answer.body.find("\n" + std::string(prefix)) != std::string::npos) {
                return true;
            }
        }
        return false;
    }

    bool owns_models(std::string_view owner) const {
        const Json& models = json("/v1/models");
        if (!models.is_object() || !models.contains("data") || !models["data"].is_array()) return false;
        for (const auto& model : models["data"]) {
            if (model.is_object() && model.contains("owned_by") && model["owned_by"] == owner) return true;
        }
        return false;
    }

    bool is_server(std::string_view name) const {
        for (const auto& answer : answers_) {
            if (answer.server.starts_with(name)) return true;
        }
        return false;
    }

    bool says(const std::string& path, std::string_view words) const {
        for (const auto& answer : answers_) {
            if (answer.path == path && answer.status == 200 && answer.body.find(words) != std::string::npos)
                return true;
        }
        return false;
    }

private:
    const std::vector<ProbeAnswer>& answers_;
    std::map<std::string, Json> json_;
};

int weight(bool holds, int points) {
    return holds ? points : 0;
}

struct Judge {
    EngineKind kind;
    int (*points)(const Evidence&);
};

// More than one may reach kEnough (an engine's proxy re-exports its metrics): the most points win, the first of equals.
constexpr std::array<Judge, 7> kJudges = {{
    {EngineKind::Vllm,
     [](const Evidence& e) {
         return weight(e.has_metric("vllm:"), 3) + weight(e.owns_models("vllm"), 3) +
                weight(e.has("/version", {"version"}), 1);
     }},
    {EngineKind::SgLang,
     [](const Evidence& e) {
         bool info =
             e.has("/get_server_info", {"version", "model_path"}) || e.has("/server_info", {"version", "model_path"});
         return weight(e.has_metric("sglang:"), 3) + weight(e.owns_models("sglang"), 3) + weight(info, 3) +
                weight(e.has("/get_model_info", {"model_path", "is_generation"}), 1);
     }},
    {EngineKind::Tgi,
     [](const Evidence& e) {
         bool info = e.has("/info", {"model_id", "max_concurrent_requests"}) || e.has("/info", {"model_id", "router"});
         return weight(e.has_metric("tgi_"), 3) + weight(info, 3);
     }},
    {EngineKind::LlamaCpp,
     [](const Evidence& e) {
         return weight(e.has_metric("llamacpp:"), 3) + weight(e.owns_models("llamacpp"), 3) +
                weight(e.is_server("llama.cpp"), 3) +
                weight(e.has("/props", {"default_generation_settings", "total_slots"}), 3);
     }},
    {EngineKind::Ollama,
     [](const Evidence& e) {
         return weight(e.says("/", "Ollama is running"), 3) + weight(e.has("/api/version", {"version"}), 2) +
                weight(e.has("/api/tags", {"models"}), 2);
     }},
    {EngineKind::LmDeploy,
     [](const Evidence& e) { return weight(e.has_metric("lmdeploy:"), 3) + weight(e.owns_models("lmdeploy"), 3); }},
    {EngineKind::TensorRtLlm,
     [](const Evidence& e) { return weight(e.has_metric("trtllm_"), 3) + weight(e.owns_models("tensorrt_llm"), 3); }},
}};

std::string version_of(EngineKind kind, const Evidence& evidence) {
    switch (kind) {
        case EngineKind::Vllm:
        case EngineKind::TensorRtLlm:
            return evidence.text("/version", "version");
        case EngineKind::SgLang: {
            std::string version = evidence.text("/get_server_info", "version");
            return version.empty() ? evidence.text("/server_info", "version") : version;
        }
        case EngineKind::Tgi:
            return evidence.text("/info", "version");
        case EngineKind::LlamaCpp:
            return evidence.text("/props", "build_info");
        case EngineKind::Ollama:
            return evidence.text("/api/version", "version");
        default:
            return "";
    }
}

std::vector<std::string> names_in(const Json& body, const char* list, const char* key) {
    std::vector<std::string> names;
    if (!body.is_object() || !body.contains(list) || !body[list].is_array()) return names;
    for (const auto& item : body[list]) {
        if (item.is_object() && item.contains(key) && item[key].is_string()) names.push_back(item[key]);
    }
    return names;
}

std::vector<std::string> models_of(EngineKind kind, const Evidence& evidence) {
    auto models = names_in(evidence.json("/v1/models"), "data", "id");
    if (models.empty() && kind == EngineKind::Ollama) models = names_in(evidence.json("/api/tags"), "models", "name");
    if (models.empty() && kind == EngineKind::Tgi) {
        if (std::string id = evidence.text("/info", "model_id"); !id.empty()) models.push_back(std::move(id));
    }
    return models;
}

}  // namespace

const std::vector<std::string>& probe_paths() {
    static const std::vector<std::string> paths = {"/v1/models",
                                                   "/metrics",
                                                   "/version",
                                                   "/props",
                                                   "/info",
                                                   "/get_server_info",
                                                   "/server_info",
                                                   "/api/version",
                                                   "/api/tags",
                                                   "/prometheus/metrics",
                                                   "/"};
    return paths;
}

EngineIdentity identify(const std::vector<ProbeAnswer>& answers) {
    Evidence evidence(answers);
    EngineIdentity identity;
    // Stoker's listeners speak OpenAI's API too, and pass engines' words through.
    if (evidence.is_server("stoker") || evidence.owns_models("stoker") || evidence.has_metric("stoker_"))
        return identity;
    int best = kEnough - 1;
    for (const auto& judge : kJudges) {
        int points = judge.points(evidence);
        if (points <= best) continue;
        best = points;
        identity.kind = judge.kind;
    }
    identity.models = models_of(identity.kind, evidence);
    if (identity.kind == EngineKind::Unknown && !identity.models.empty()) identity.kind = EngineKind::OpenAi;
    identity.version = version_of(identity.kind, evidence);
    return identity;
}

}  // namespace stoker::collect
