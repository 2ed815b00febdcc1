// Who may use the gateway, as plain values: `app` fills them from the configuration and the state store.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "crypto/hash.h"
#include "gateway/auth/identity.h"
#include "gateway/auth/token_options.h"

namespace stoker::gateway {

struct TenantOptions {
    std::string name{};
    Priority priority = Priority::Normal;
    std::vector<std::string> models{};  // Empty: all.
    std::map<std::string, std::string> metadata{};
};

// A key as it is kept: what it may do, and what it hashes to.
struct KeyOptions {
    std::string id{};
    std::string tenant{};
    crypto::Digest hash{};                          // SHA-256 of the whole key as the client sends it.
    std::optional<crypto::Digest> previous_hash{};  // Of the key before the last rotation,
    Timestamp previous_until{};                     // which is good until then.
    std::optional<Timestamp> expires{};             // Not good from then on.
    bool revoked = false;
    std::optional<Priority> priority{};  // None: the tenant's.
    std::vector<std::string> models{};   // Of what the tenant may use; empty: all of it.
    std::map<std::string, std::string> metadata{};
};

// Everything that a reload, or a change of keys, replaces.
struct AuthOptions {
    bool required = false;  // Without: requests without a Stoker key pass as nobody's.
    // None: keys may name any tenant. Else the key of another is refused, so that no tenant's bounds are lost with it.
    std::vector<TenantOptions> tenants{};
    std::vector<KeyOptions> keys{};
    std::vector<TokenIssuerOptions> issuers{};  // Each named once.
};

}  // namespace stoker::gateway
