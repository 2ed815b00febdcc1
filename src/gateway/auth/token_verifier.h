// The issuers whose tokens are taken, with the keys that they sign with: an immutable table that requests read and a
// change of configuration, of tenants or of signing keys replaces whole, and with it the tokens found good before.
//
// Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/jwk.h"
#include "gateway/auth/token_cache.h"
#include "gateway/auth/token_claims.h"

namespace stoker::gateway {

using IssuerKeys = std::map<std::string, std::shared_ptr<const crypto::KeySet>, std::less<>>;

struct TokenVerdict {
    TokenFault fault = TokenFault::Malformed;
    std::shared_ptr<const Identity> identity{};  // Without a fault.
    std::string issuer{};                        // Of one whose tokens are taken.
};

class TokenVerifier {
public:
    TokenVerifier() = default;
    TokenVerifier(std::vector<TokenIssuerOptions> issuers, IssuerKeys keys, std::shared_ptr<const Keyring> tenants);

    bool any() const { return !issuers_.empty(); }

    // Of a token that was found good lately. Null: not known.
    std::shared_ptr<const Identity> known(std::string_view token, Timestamp now) const;
    // Checks everything; costs up to 100 µs.
    TokenVerdict check(std::string_view token, Timestamp now) const;

private:
    struct Issuer {
        TokenIssuerOptions options;
        std::shared_ptr<const crypto::KeySet> keys;  // Null: never had.
    };

    std::map<std::string, Issuer, std::less<>> issuers_;
    std::shared_ptr<const Keyring> tenants_ = std::make_shared<const Keyring>();
    std::unique_ptr<TokenCache> cache_ = std::make_unique<TokenCache>();
};

}  // namespace stoker::gateway
