#include "gateway/auth/authenticate.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "crypto/jwt.h"
#include "gateway/auth/authenticate_token.h"
#include "gateway/auth/refuse_credentials.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

struct Refusal {
    GatewayError error;
    std::string message;
};

Refusal refusal_of(KeyFault fault, const Identity* identity) {
    const std::string named = identity == nullptr ? std::string() : " '" + identity->key_id + "'";
    switch (fault) {
        case KeyFault::Expired:
            return {GatewayError::KeyExpired, "the key" + named + " has expired"};
        case KeyFault::Rotated:
            return {GatewayError::KeyExpired,
                    "the key" + named + " was replaced, and the time for the old one is over"};
        case KeyFault::Revoked:
            return {GatewayError::KeyRevoked, "the key" + named + " was revoked"};
        case KeyFault::UnknownTenant:
            return {GatewayError::TenantUnknown, "the key" + named + " belongs to the tenant '" + identity->tenant +
                                                     "', which is not configured here"};
        default:
            return {GatewayError::InvalidApiKey, "there is no such key"};
    }
}

}  // namespace

std::optional<std::string_view> credential_of(const net::Headers& headers) {
    constexpr std::string_view kScheme = "bearer ";
    if (const auto authorization = headers.get("authorization")) {
        if (!equals_ignore_case(authorization->substr(0, kScheme.size()), kScheme)) return std::nullopt;
        return trim(authorization->substr(kScheme.size()));
    }
    for (const std::string_view name : {"x-api-key", "api-key"}) {
        if (const auto key = headers.get(name)) return trim(*key);
    }
    return std::nullopt;
}

asio::awaitable<bool> authenticate(RequestContext& context) {
    const auto keyring = context.core().keyring.get();
    const auto credential = credential_of(context.exchange().request().headers);
    const bool is_token = credential && crypto::looks_like_jwt(*credential) && context.core().tokens.get()->any();
    context.withhold_credentials = keyring->required();
    // Where keys are not asked for, one of Stoker's that comes all the same says who asks.
    const bool is_ours = is_token || (credential && is_stoker_key(*credential));
    if (!keyring->required() && !is_ours) co_return true;
    context.withhold_credentials = true;
    if (!credential || credential->empty()) {
        Refusal missing{GatewayError::MissingApiKey,
                        "this gateway asks for a key: send `Authorization: Bearer KEY`, or `x-api-key`"};
        co_await refuse_credentials(context, missing.error, std::move(missing.message));
        co_return false;
    }
    if (is_token) {
        const bool known = co_await authenticate_token(context, *credential, keyring->required());
        co_return known;
    }
    KeyVerdict verdict = keyring->check(*credential, from_millis(context.record().time_ms));
    if (verdict.identity) context.set_identity(verdict.identity);
    if (verdict.fault == KeyFault::None) co_return true;
    Refusal refusal = refusal_of(verdict.fault, verdict.identity.get());
    co_await refuse_credentials(context, refusal.error, std::move(refusal.message));
    co_return false;
}

asio::awaitable<bool> authorize_model(RequestContext& context, std::string_view model) {
    if (context.identity->models.allow(model)) co_return true;
    constexpr std::size_t kMostShown = 200;
    std::string message = "this key may not use the model '" + std::string(model.substr(0, kMostShown)) + "'";
    co_await context.refuse(GatewayError::ModelNotAllowed, std::move(message), {}, "model");
    co_return false;
}

}  // namespace stoker::gateway
