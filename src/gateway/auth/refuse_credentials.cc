#include "gateway/auth/refuse_credentials.h"

#include <utility>

#include "base/log.h"

namespace stoker::gateway {
namespace {

// RFC 6750, section 3.
std::string challenge(GatewayError error) {
    std::string text = R"(Bearer realm="stoker")";
    if (error != GatewayError::MissingApiKey) text += R"(, error="invalid_token")";
    return text;
}

}  // namespace

boost::asio::awaitable<void> refuse_credentials(RequestContext& context, GatewayError error, std::string message) {
    Core& core = context.core();
    core.metrics.count_auth_failure(info(error).code);
    net::Headers headers;
    // Keys of an issuer that can't be had are no fault of who shows a token.
    const bool blameless = error == GatewayError::TokenKeysUnavailable;
    if (blameless) headers.add("retry-after", "2");
    const auto now = std::chrono::steady_clock::now();
    const auto wait = blameless ? std::nullopt : core.auth_failures.note(context.exchange().request().peer, now);
    if (wait) {
        error = GatewayError::TooManyAuthFailures;
        message = "too many requests with bad credentials from this address";
        headers.add("retry-after", std::to_string(std::chrono::ceil<std::chrono::seconds>(*wait).count()));
    } else {
        log::info("request refused", {{"request_id", context.id()},
                                      {"code", info(error).code},
                                      {"why", message},
                                      {"peer", context.exchange().request().peer},
                                      {"key_id", context.identity->key_id}});
        if (info(error).status == 401) headers.add("www-authenticate", challenge(error));
    }
    co_await context.refuse(error, std::move(message), std::move(headers));
}

}  // namespace stoker::gateway
