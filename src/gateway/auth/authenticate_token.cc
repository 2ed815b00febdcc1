#include "gateway/auth/authenticate_token.h"

#include <utility>

#include "gateway/auth/refuse_credentials.h"
#include "net/async.h"

namespace stoker::gateway {
namespace asio = boost::asio;
namespace {

constexpr Duration kPatience{2'000};  // For signing keys to be fetched.
constexpr Duration kLook{20};

SteadyTime clock_now() {
    return std::chrono::steady_clock::now();
}

TokenVerdict check(RequestContext& context, std::string_view token) {
    Core& core = context.core();
    TokenVerdict verdict = core.tokens.get()->check(token, from_millis(context.record().time_ms));
    core.metrics.count_token_check(to_string(verdict.fault));
    return verdict;
}

// Waits until the issuer's keys were fetched. False: that is no use now, or took too long.
asio::awaitable<bool> fresh_keys(Core& core, std::string issuer) {
    const auto ticket = core.token_demand.want(issuer, clock_now());
    if (!ticket) co_return false;
    const SteadyTime end = clock_now() + kPatience;
    bool answered = false;
    while (!answered && clock_now() < end) {
        (void)co_await net::sleep_for(kLook);
        answered = core.token_demand.answered(issuer, *ticket);
    }
    core.token_demand.leave();
    co_return answered;
}

GatewayError error_of(TokenFault fault) {
    switch (fault) {
        case TokenFault::Expired:
            return GatewayError::TokenExpired;
        case TokenFault::NoKeys:
            return GatewayError::TokenKeysUnavailable;
        case TokenFault::NoTenant:
        case TokenFault::UnknownTenant:
            return GatewayError::TenantUnknown;
        default:
            return GatewayError::InvalidToken;
    }
}

}  // namespace

asio::awaitable<bool> authenticate_token(RequestContext& context, std::string_view token, bool required) {
    Core& core = context.core();
    if (auto known = core.tokens.get()->known(token, from_millis(context.record().time_ms))) {
        core.metrics.count_token_cached();
        context.set_identity(std::move(known));
        co_return true;
    }
    if (core.auth_failures.wait(context.exchange().request().peer, clock_now())) {
        co_await refuse_credentials(context, GatewayError::TooManyAuthFailures, {});
        co_return false;
    }
    TokenVerdict verdict = check(context, token);
    if (verdict.fault == TokenFault::UnknownKey || verdict.fault == TokenFault::NoKeys) {
        const bool fresh = co_await fresh_keys(core, verdict.issuer);
        if (fresh) verdict = check(context, token);
    }
    if (verdict.fault == TokenFault::None) {
        context.set_identity(std::move(verdict.identity));
        co_return true;
    }
    const bool foreign = verdict.fault == TokenFault::UnknownIssuer || verdict.fault == TokenFault::Malformed;
    if (foreign && !required) {
        context.withhold_credentials = false;
        co_return true;
    }
    std::string message(message_of(verdict.fault));
    co_await refuse_credentials(context, error_of(verdict.fault), std::move(message));
    co_return false;
}

}  // namespace stoker::gateway
