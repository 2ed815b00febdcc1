// A key of the gateway's clients as people manage it: between the state store's row, the gateway's options and JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "gateway/auth/auth_options.h"
#include "state/state_store.h"

namespace stoker::app {

enum class KeySource : std::uint8_t { Config, Api };  // Api: made at run time, kept in the state store.

struct ManagedKey {
    gateway::KeyOptions options{};
    KeySource source = KeySource::Api;
    Timestamp created{};  // Of Api's.
    std::optional<Timestamp> rotated{};
    std::optional<Timestamp> revoked{};
    std::optional<Timestamp> last_used{};
};

state::ApiKey row_of(const ManagedKey& key);
// Errors: Corruption, naming the key.
Result<ManagedKey> key_of(const state::ApiKey& row);

// "active", "revoked", "expired" or "unknown_tenant": what a request with the key would find.
std::string state_of(const ManagedKey& key, const gateway::AuthOptions& auth, Timestamp now);

// As docs/api.md has it; never a hash.
nlohmann::json to_json(const ManagedKey& key, const gateway::AuthOptions& auth, Timestamp now);

}  // namespace stoker::app
