// The gateway's keys, tenants and issuers, as they are replaced while it runs.
#include <algorithm>
#include <utility>

#include "gateway/core.h"
#include "gateway/gateway.h"

namespace stoker::gateway {

Result<Unit> Gateway::apply_auth(const AuthOptions& auth) {
    MutexLock lock(mutex_);
    TRY(auto keyring, Keyring::build(auth, *core_->keyring.get()));
    core_->keyring.set(std::move(keyring));
    issuers_ = auth.issuers;
    std::vector<std::string> names;
    for (const TokenIssuerOptions& issuer : issuers_) names.push_back(issuer.issuer);
    core_->token_demand.follow(names);
    rebuild_tokens();
    return Unit{};
}

void Gateway::set_issuer_keys(const std::string& issuer, std::shared_ptr<const crypto::KeySet> keys) {
    {
        MutexLock lock(mutex_);
        if (keys) {
            issuer_keys_[issuer] = std::move(keys);
            rebuild_tokens();
        }
    }
    core_->token_demand.fetched(issuer, std::chrono::steady_clock::now());
}

void Gateway::rebuild_tokens() {
    // Those of issuers that are gone would be back with them, though the issuer may have withdrawn them since.
    const std::vector<TokenIssuerOptions>& issuers = issuers_;
    std::erase_if(issuer_keys_, [&issuers](const auto& entry) {
        return std::none_of(issuers.begin(), issuers.end(),
                            [&](const TokenIssuerOptions& issuer) { return issuer.issuer == entry.first; });
    });
    core_->tokens.set(std::make_shared<const TokenVerifier>(issuers_, issuer_keys_, core_->keyring.get()));
}

std::vector<std::string> Gateway::take_wanted_issuers() {
    return core_->token_demand.take();
}

std::vector<Keyring::Use> Gateway::keys_used_since(Timestamp since) const {
    return core_->keyring.get()->used_since(since);
}

}  // namespace stoker::gateway
