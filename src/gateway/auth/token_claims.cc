#include "gateway/auth/token_claims.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/jwt.h"

namespace stoker::gateway {
namespace {

constexpr std::size_t kLongestSubject = 128;
constexpr std::size_t kLongestTenant = 64;
constexpr std::size_t kLongestText = 256;
constexpr std::size_t kMostModels = 256;

struct FaultText {
    std::string_view name;
    std::string_view message;
};

constexpr std::array<FaultText, 13> kFaults = {{
    {"ok", ""},
    {"malformed", "the token is not one that is understood here: a JWT signed with RS256, ES256 or EdDSA is"},
    {"unknown_issuer", "tokens of this issuer are not taken here"},
    {"no_keys", "the keys of the token's issuer could not be fetched yet"},
    {"unknown_key", "the token's issuer has no such signing key"},
    {"bad_signature", "the token's signature is wrong"},
    {"expired", "the token has expired"},
    {"not_yet_valid", "the token is not valid yet"},
    {"no_expiry", "the token has no time at which it expires"},
    {"wrong_audience", "the token is for another audience"},
    {"no_subject", "the token does not say who has it"},
    {"no_tenant", "the token does not say whose tenant it is for"},
    {"unknown_tenant", "the token's tenant is not configured here"},
}};

// What can be a tenant's name: tokens must not bring in others.
bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= kLongestTenant && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
               c == '-';
    });
}

// Empty: there is none. Of several values the first that the map knows; without a map there must be just one.
std::string tenant_of(const crypto::Jwt& token, const TokenIssuerOptions& issuer) {
    if (issuer.tenant_claim.empty() || !token.has(issuer.tenant_claim)) return issuer.tenant;
    const auto values = token.texts(issuer.tenant_claim);
    if (!values) return {};
    if (issuer.tenants.empty())
        return values->size() == 1 && is_name(values->front()) ? values->front() : std::string();
    for (const std::string& value : *values) {
        if (const auto found = issuer.tenants.find(value); found != issuer.tenants.end()) return found->second;
    }
    return {};
}

Timestamp time_of(std::int64_t seconds) {
    constexpr std::int64_t kMost = 4'000'000'000'000'000;  // Far past any date, and room for a leeway.
    return from_millis(std::clamp(seconds, -kMost, kMost) * 1000);
}

TokenFault check_times(const crypto::Jwt& token, Duration leeway, Timestamp now) {
    const auto expires = token.seconds("exp");
    if (!expires) return TokenFault::NoExpiry;
    if (now >= time_of(*expires) + leeway) return TokenFault::Expired;
    const auto from = token.seconds("nbf");
    if (token.has("nbf") && (!from || now < time_of(*from) - leeway)) return TokenFault::NotYetValid;
    return TokenFault::None;
}

bool is_for(const crypto::Jwt& token, const std::vector<std::string>& audiences) {
    const auto named = token.texts("aud");
    return named && std::any_of(named->begin(), named->end(), [&](const std::string& audience) {
               return std::find(audiences.begin(), audiences.end(), audience) != audiences.end();
           });
}

void read_claims(const crypto::Jwt& token, const TokenIssuerOptions& issuer, Identity& identity) {
    if (!issuer.models_claim.empty()) {
        auto models = token.texts(issuer.models_claim, true).value_or(std::vector<std::string>{});
        if (models.size() > kMostModels) models.resize(kMostModels);
        identity.models.restrict_to(std::move(models));
    }
    if (const auto priority = parse_priority(token.text(issuer.priority_claim).value_or(""))) {
        identity.priority = *priority;
    }
    for (const auto& [name, claim] : issuer.metadata_claims) {
        if (auto text = token.text(claim)) identity.metadata[name] = text->substr(0, kLongestText);
    }
}

}  // namespace

std::string_view to_string(TokenFault fault) {
    return kFaults[static_cast<std::size_t>(fault)].name;
}

std::string_view message_of(TokenFault fault) {
    return kFaults[static_cast<std::size_t>(fault)].message;
}

TokenIdentity judge_claims(const crypto::Jwt& token, const TokenIssuerOptions& issuer, const Keyring& tenants,
                           Timestamp now) {
    if (const TokenFault fault = check_times(token, issuer.leeway, now); fault != TokenFault::None) return {fault};
    if (!is_for(token, issuer.audiences)) return {TokenFault::WrongAudience};
    const auto subject = token.text("sub");
    if (!subject || subject->empty()) return {TokenFault::NoSubject};
    const std::string name = tenant_of(token, issuer);
    if (name.empty()) return {TokenFault::NoTenant};
    const auto tenant = tenants.tenant(name);
    if (!tenant) return {TokenFault::UnknownTenant};
    auto identity = std::make_shared<Identity>(*tenant);
    // A colon is in no key's id, so the two are never taken for each other.
    identity->key_id = "sub:" + subject->substr(0, kLongestSubject);
    read_claims(token, issuer, *identity);
    return {TokenFault::None, std::move(identity), time_of(*token.seconds("exp")) + issuer.leeway};
}

}  // namespace stoker::gateway
