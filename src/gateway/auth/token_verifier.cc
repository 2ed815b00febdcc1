#include "gateway/auth/token_verifier.h"

#include <utility>

#include "crypto/jwt.h"

namespace stoker::gateway {

TokenVerifier::TokenVerifier(std::vector<TokenIssuerOptions> issuers, IssuerKeys keys,
                             std::shared_ptr<const Keyring> tenants)
    : tenants_(std::move(tenants)) {
    for (TokenIssuerOptions& options : issuers) {
        std::string name = options.issuer;
        const auto known = keys.find(name);
        issuers_.try_emplace(std::move(name),
                             Issuer{std::move(options), known == keys.end() ? nullptr : known->second});
    }
}

std::shared_ptr<const Identity> TokenVerifier::known(std::string_view token, Timestamp now) const {
    return cache_->find(crypto::sha256(token), now);
}

TokenVerdict TokenVerifier::check(std::string_view token, Timestamp now) const {
    const auto jwt = crypto::Jwt::parse(std::string(token));
    if (!jwt) return {TokenFault::Malformed};
    const auto named = jwt->text("iss");
    const auto found = named ? issuers_.find(*named) : issuers_.end();
    if (found == issuers_.end()) return {TokenFault::UnknownIssuer};
    const Issuer& issuer = found->second;
    if (!issuer.keys) return {TokenFault::NoKeys, nullptr, *named};
    if (!issuer.keys->knows(jwt->algorithm(), jwt->key_id())) return {TokenFault::UnknownKey, nullptr, *named};
    if (!jwt->is_signed_by(*issuer.keys)) return {TokenFault::BadSignature, nullptr, *named};
    TokenIdentity judged = judge_claims(*jwt, issuer.options, *tenants_, now);
    if (judged.fault == TokenFault::None) cache_->put(crypto::sha256(token), judged.identity, judged.good_until);
    return {judged.fault, std::move(judged.identity), *named};
}

}  // namespace stoker::gateway
