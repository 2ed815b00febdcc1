#include "gateway/auth/authenticate.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"

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

// RFC 6750, section 3.
std::string challenge(GatewayError error) {
    std::string text = R"(Bearer realm="stoker")";
    if (error != GatewayError::MissingApiKey) text += R"(, error="invalid_token")";
    return text;
}

asio::awaitable<void> refuse(RequestContext& context, Refusal refusal) {
    Core& core = context.core();
    core.metrics.count_auth_failure(info(refusal.error).code);
    net::Headers headers;
    const auto wait = core.auth_failures.note(context.exchange().request().peer, std::chrono::steady_clock::now());
    if (wait) {
        refusal = {GatewayError::TooManyAuthFailures, "too many requests with bad credentials from this address"};
        headers.add("retry-after", std::to_string(std::chrono::ceil<std::chrono::seconds>(*wait).count()));
    } else {
        log::info("request refused", {{"request_id", context.id()},
                                      {"code", info(refusal.error).code},
                                      {"peer", context.exchange().request().peer},
                                      {"key_id", context.identity->key_id}});
        if (info(refusal.error).status == 401) headers.add("www-authenticate", challenge(refusal.error));
    }
    co_await context.refuse(refusal.error, std::move(refusal.message), std::move(headers));
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
    context.withhold_credentials = keyring->required();
    // Where keys are not asked for, one of Stoker's that comes all the same says who asks.
    if (!keyring->required() && (!credential || !is_stoker_key(*credential))) co_return true;
    context.withhold_credentials = true;
    if (!credential || credential->empty()) {
        Refusal missing{GatewayError::MissingApiKey,
                        "this gateway asks for a key: send `Authorization: Bearer KEY`, or `x-api-key`"};
        co_await refuse(context, std::move(missing));
        co_return false;
    }
    KeyVerdict verdict = keyring->check(*credential, from_millis(context.record().time_ms));
    if (verdict.identity) context.set_identity(verdict.identity);
    if (verdict.fault == KeyFault::None) co_return true;
    Refusal refusal = refusal_of(verdict.fault, verdict.identity.get());
    co_await refuse(context, std::move(refusal));
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
