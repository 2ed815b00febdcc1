#include "collect/engine/identify.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "collect/engine/json_pointer.h"

namespace stoker::collect {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kEnough = 3;  // One piece of evidence that nobody else gives.
constexpr std::size_t kMaxModels = 1'000;

// "PATH#POINTER".
std::pair<std::string, std::string> split_place(const std::string& place) {
    const std::size_t at = place.find('#');
    return {place.substr(0, at), place.substr(at + 1)};
}

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

    bool holds(const DetectRule& rule) const {
        return (rule.metric.empty() || has_metric(rule.metric)) &&
               (rule.models_owner.empty() || owns_models(rule.models_owner)) &&
               (rule.server.empty() || is_server(rule.server)) && (rule.path.empty() || answers_at(rule));
    }

    bool has_metric(std::string_view prefix) const {
        for (const auto& answer : answers_) {
            if (answer.status != 200 || !answer.path.ends_with("/metrics")) continue;
            if (answer.body.starts_with(prefix) || answer.body.find("\n" + std::string(prefix)) != std::string::npos) {
                return true;
            }
        }
        return false;
    }

    bool owns_models(std::string_view owner) const {
        for (const Json* owned_by : json_at(json("/v1/models"), "/data/*/owned_by")) {
            if (owned_by->is_string() && *owned_by == owner) return true;
        }
        return false;
    }

    bool is_server(std::string_view name) const {
        return std::any_of(answers_.begin(), answers_.end(), [&](const auto& a) { return a.server.starts_with(name); });
    }

    // The texts at the first of the places that has any.
    std::vector<std::string> texts(const std::vector<std::string>& places) const {
        std::vector<std::string> found;
        for (const std::string& place : places) {
            const auto [path, pointer] = split_place(place);
            for (const Json* value : json_at(json(path), pointer)) {
                if (std::string text = json_text(*value); !text.empty()) found.push_back(std::move(text));
                if (found.size() >= kMaxModels) break;
            }
            if (!found.empty()) break;
        }
        return found;
    }

    std::string text(const std::vector<std::string>& places) const {
        auto found = texts(places);
        return found.empty() ? "" : std::move(found.front());
    }

private:
    // The JSON of a 200 answer; null if there is none.
    const Json& json(const std::string& path) const {
        static const Json none;
        auto found = json_.find(path);
        return found == json_.end() ? none : found->second;
    }

    bool answers_at(const DetectRule& rule) const {
        const Json& body = json(rule.path);
        for (const std::string& key : rule.keys) {
            if (!body.is_object() || !body.contains(key)) return false;
        }
        if (rule.says.empty()) return true;
        return std::any_of(answers_.begin(), answers_.end(), [&](const auto& answer) {
            return answer.path == rule.path && answer.status == 200 && answer.body.find(rule.says) != std::string::npos;
        });
    }

    const std::vector<ProbeAnswer>& answers_;
    std::map<std::string, Json> json_;
};

std::int64_t largest(const std::vector<std::string>& numbers) {
    std::int64_t most = 0;
    for (const std::string& text : numbers) most = std::max(most, parse_integer(text).value_or(0));
    return most;
}

void add_question(std::vector<std::string>& questions, const std::string& path) {
    if (path.empty() ||
        std::find(std::begin(kFirstQuestions), std::end(kFirstQuestions), path) != std::end(kFirstQuestions)) {
        return;
    }
    if (std::find(questions.begin(), questions.end(), path) == questions.end()) questions.push_back(path);
}

void add_questions(std::vector<std::string>& questions, const FactPlaces& facts) {
    for (const auto* places :
         {&facts.version, &facts.models, &facts.context_length, &facts.quantization, &facts.dtype}) {
        for (const std::string& place : *places) add_question(questions, split_place(place).first);
    }
}

}  // namespace

std::vector<std::string> further_questions(const Adapters& adapters, std::string_view kind) {
    std::vector<std::string> questions;
    const Adapter* known = adapters.find(kind);
    for (const Adapter& adapter : adapters.all()) {
        if (known != nullptr && known != &adapter) continue;
        // A path that only confirms a kind need not be asked for again.
        if (known == nullptr) {
            for (const DetectRule& rule : adapter.detect) add_question(questions, rule.path);
            if (adapter.metrics_format == "exposition") add_question(questions, adapter.metrics_path);
        }
        add_questions(questions, adapter.facts);
    }
    return questions;
}

EngineIdentity identify(const Adapters& adapters, const std::vector<ProbeAnswer>& answers) {
    Evidence evidence(answers);
    EngineIdentity identity;
    // Stoker's listeners speak OpenAI's API too, and pass engines' words through.
    if (evidence.is_server("stoker") || evidence.owns_models("stoker") || evidence.has_metric("stoker_"))
        return identity;
    // More than one may have enough (an engine's proxy re-exports its metrics): the most points win, the first of
    // equals.
    const Adapter* best = nullptr;
    std::int64_t most = kEnough - 1;
    for (const Adapter& adapter : adapters.all()) {
        std::int64_t points = 0;
        for (const DetectRule& rule : adapter.detect) points += evidence.holds(rule) ? rule.points : 0;
        if (points <= most) continue;
        most = points;
        best = &adapter;
    }
    if (best == nullptr) best = adapters.find(kGenericEngine);
    if (best == nullptr) return identity;
    identity.models = evidence.texts(best->facts.models);
    if (most < kEnough && identity.models.empty()) return {};
    identity.kind = best->name;
    identity.version = evidence.text(best->facts.version);
    identity.quantization = evidence.text(best->facts.quantization);
    identity.dtype = evidence.text(best->facts.dtype);
    identity.context_length = largest(evidence.texts(best->facts.context_length));
    return identity;
}

}  // namespace stoker::collect
