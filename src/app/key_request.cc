#include "app/key_request.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/config_checks.h"

namespace stoker::app {
namespace {

using nlohmann::json;

constexpr std::size_t kMostModels = 256;
constexpr std::size_t kMostMetadata = 32;
constexpr std::size_t kLongestText = 256;
constexpr Duration kUsualOverlap = std::chrono::hours{24};
constexpr Duration kLongestOverlap = std::chrono::days{90};

Error wrong(std::string_view member, std::string_view what) {
    return {Errc::InvalidArgument, std::string(member) + " " + std::string(what)};
}

Result<std::string> text_of(const json& value, std::string_view member) {
    if (!value.is_string()) return wrong(member, "must be a text");
    if (value.get_ref<const std::string&>().size() > kLongestText) return wrong(member, "is too long");
    return value.get<std::string>();
}

Result<std::string> name_of(const json& value, std::string_view member) {
    TRY(auto name, text_of(value, member));
    if (!is_plain_name(name)) return wrong(member, "must be letters, digits, '_', '.', '-', at most 64");
    return name;
}

Result<std::vector<std::string>> models_of(const json& value) {
    if (!value.is_array() || value.size() > kMostModels) return wrong("models", "must be a list of at most 256 texts");
    std::vector<std::string> models;
    for (const json& model : value) {
        TRY(auto pattern, text_of(model, "models"));
        if (pattern.empty()) return wrong("models", "must name models, as names or as beginnings (\"llama-*\")");
        models.push_back(std::move(pattern));
    }
    return models;
}

Result<std::optional<gateway::Priority>> priority_of(const json& value) {
    if (value.is_null()) return std::optional<gateway::Priority>{};
    TRY(const auto text, text_of(value, "priority"));
    const auto priority = gateway::parse_priority(text);
    if (!priority) return wrong("priority", "must be low, normal, high, or null for the tenant's");
    return priority;
}

Result<std::optional<Timestamp>> expiry_of(const json& value, Timestamp now) {
    if (value.is_null()) return std::optional<Timestamp>{};
    TRY(const auto text, text_of(value, "expires"));
    Result<Timestamp> at = parse_timestamp(text);
    if (const auto lasting = parse_duration(text)) at = now + *lasting;
    if (!at) return wrong("expires", "must be a time (2027-01-31T00:00:00Z) or a duration from now (90d)");
    if (*at <= now) return wrong("expires", "is over already");
    return std::optional(*at);
}

Result<std::map<std::string, std::optional<std::string>>> metadata_of(const json& value) {
    if (!value.is_object() || value.size() > kMostMetadata) {
        return wrong("metadata", "must be an object of at most 32 texts");
    }
    std::map<std::string, std::optional<std::string>> metadata;
    for (const auto& [name, member] : value.items()) {
        if (name.empty() || name.size() > kLongestText)
            return wrong("metadata", "has a name that is empty or too long");
        if (member.is_null()) {
            metadata[name] = std::nullopt;
            continue;
        }
        TRY(metadata[name], text_of(member, "metadata." + name));
    }
    return metadata;
}

// One member; false: it is none of these.
Result<bool> read_setting(KeyChanges& changes, const std::string& name, const json& value, Timestamp now) {
    if (name == "tenant") {
        TRY(changes.tenant, name_of(value, "tenant"));
    } else if (name == "models") {
        TRY(changes.models, models_of(value));
    } else if (name == "priority") {
        TRY(changes.priority, priority_of(value));
    } else if (name == "expires") {
        TRY(changes.expires, expiry_of(value, now));
    } else if (name == "metadata") {
        TRY(changes.metadata, metadata_of(value));
    } else {
        return false;
    }
    return true;
}

Result<json> object_of(std::string_view body) {
    json object = json::parse(body, nullptr, false);
    if (!object.is_object()) return Error{Errc::InvalidArgument, "the body must be a JSON object"};
    return object;
}

}  // namespace

void KeyChanges::apply_to(gateway::KeyOptions& key) const {
    if (tenant) key.tenant = *tenant;
    if (models) key.models = *models;
    if (priority) key.priority = *priority;
    if (expires) key.expires = *expires;
    for (const auto& [name, value] : metadata) {
        if (value) {
            key.metadata[name] = *value;
        } else {
            key.metadata.erase(name);
        }
    }
}

Result<KeyRequest> parse_key_request(std::string_view body, Timestamp now) {
    TRY(const json object, object_of(body));
    KeyRequest request;
    for (const auto& [name, value] : object.items()) {
        if (name == "id") {
            TRY(request.id, name_of(value, "id"));
        } else if (name == "sha256") {
            TRY(const auto hex, text_of(value, "sha256"));
            request.sha256 = crypto::digest_from_hex(hex);
            if (!request.sha256) return wrong("sha256", "must be 64 hex digits");
        } else {
            TRY(const bool known, read_setting(request.settings, name, value, now));
            if (!known) return wrong(name, "is nothing that a key has");
        }
    }
    if (!request.settings.tenant) return wrong("tenant", "is missing: say whose key it is");
    return request;
}

Result<KeyChanges> parse_key_changes(std::string_view body, Timestamp now) {
    TRY(const json object, object_of(body));
    KeyChanges changes;
    for (const auto& [name, value] : object.items()) {
        TRY(const bool known, read_setting(changes, name, value, now));
        if (!known) return wrong(name, "is nothing that can be changed of a key");
    }
    return changes;
}

Result<Duration> parse_key_rotation(std::string_view body) {
    if (body.empty()) return kUsualOverlap;
    TRY(const json object, object_of(body));
    Duration overlap = kUsualOverlap;
    for (const auto& [name, value] : object.items()) {
        if (name != "overlap") return wrong(name, "is nothing that a rotation has");
        TRY(const auto text, text_of(value, "overlap"));
        const auto parsed = parse_duration(text);
        if (!parsed || *parsed < Duration{0} || *parsed > kLongestOverlap) {
            return wrong("overlap", "must be a duration of at most 90d; 0 ends the old key at once");
        }
        overlap = *parsed;
    }
    return overlap;
}

}  // namespace stoker::app
