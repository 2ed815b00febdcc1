#include "app/key_record.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "gateway/auth/keyring.h"

namespace stoker::app {
namespace {

using nlohmann::json;

json time_or_null(const std::optional<Timestamp>& time) {
    return time ? json(to_millis(*time)) : json(nullptr);
}

std::string text_of(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Nothing unless every member is a text.
std::optional<std::map<std::string, std::string>> texts_of(const json& object) {
    std::map<std::string, std::string> texts;
    if (!object.is_object()) return std::nullopt;
    for (const auto& [name, value] : object.items()) {
        if (!value.is_string()) return std::nullopt;
        texts[name] = value.get<std::string>();
    }
    return texts;
}

std::optional<std::vector<std::string>> list_of(const json& array) {
    std::vector<std::string> texts;
    if (!array.is_array()) return std::nullopt;
    for (const json& value : array) {
        if (!value.is_string()) return std::nullopt;
        texts.push_back(value.get<std::string>());
    }
    return texts;
}

}  // namespace

state::ApiKey row_of(const ManagedKey& key) {
    const gateway::KeyOptions& options = key.options;
    state::ApiKey row{.id = options.id,
                      .tenant = options.tenant,
                      .hash = crypto::to_hex(options.hash),
                      .models = text_of(options.models),
                      .metadata = text_of(options.metadata),
                      .created = key.created,
                      .expires = options.expires,
                      .rotated = key.rotated,
                      .revoked = key.revoked,
                      .last_used = key.last_used};
    if (options.priority) row.priority = gateway::to_string(*options.priority);
    if (options.previous_hash) {
        row.previous_hash = crypto::to_hex(*options.previous_hash);
        row.previous_until = options.previous_until;
    }
    return row;
}

Result<ManagedKey> key_of(const state::ApiKey& row) {
    const auto hash = crypto::digest_from_hex(row.hash);
    const auto models = list_of(json::parse(row.models, nullptr, false));
    const auto metadata = texts_of(json::parse(row.metadata, nullptr, false));
    const auto priority = gateway::parse_priority(row.priority);
    const auto previous = crypto::digest_from_hex(row.previous_hash);
    if (!hash || !models || !metadata || (!priority && !row.priority.empty()) ||
        (!previous && !row.previous_hash.empty())) {
        return Error{Errc::Corruption, "the key " + row.id + " is stored in a form that is not known here"};
    }
    ManagedKey key;
    key.options = {.id = row.id,
                   .tenant = row.tenant,
                   .hash = *hash,
                   .previous_hash = previous,
                   .previous_until = row.previous_until.value_or(Timestamp{}),
                   .expires = row.expires,
                   .revoked = row.revoked.has_value(),
                   .priority = priority,
                   .models = *models,
                   .metadata = *metadata};
    key.created = row.created;
    key.rotated = row.rotated;
    key.revoked = row.revoked;
    key.last_used = row.last_used;
    return key;
}

std::string state_of(const ManagedKey& key, const gateway::AuthOptions& auth, Timestamp now) {
    const gateway::KeyOptions& options = key.options;
    if (options.revoked) return "revoked";
    if (options.expires && now >= *options.expires) return "expired";
    const auto is_its_own = [&](const gateway::TenantOptions& tenant) { return tenant.name == options.tenant; };
    const bool known = auth.tenants.empty() || std::any_of(auth.tenants.begin(), auth.tenants.end(), is_its_own);
    return known ? "active" : "unknown_tenant";
}

json to_json(const ManagedKey& key, const gateway::AuthOptions& auth, Timestamp now) {
    const gateway::KeyOptions& options = key.options;
    const bool overlaps = options.previous_hash && now < options.previous_until;
    const bool made_here = key.source == KeySource::Api;
    return {{"id", options.id},
            {"tenant", options.tenant},
            {"source", made_here ? "api" : "config"},
            {"state", state_of(key, auth, now)},
            {"models", options.models},
            {"priority", options.priority ? json(gateway::to_string(*options.priority)) : json(nullptr)},
            {"metadata", options.metadata},
            {"created_ms", made_here ? json(to_millis(key.created)) : json(nullptr)},
            {"expires_ms", time_or_null(options.expires)},
            {"rotated_ms", time_or_null(key.rotated)},
            {"previous_until_ms", overlaps ? json(to_millis(options.previous_until)) : json(nullptr)},
            {"revoked_ms", time_or_null(key.revoked)},
            {"last_used_ms", time_or_null(key.last_used)}};
}

}  // namespace stoker::app
