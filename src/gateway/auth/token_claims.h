// What a token's claims say to an issuer's options: good here, and whose. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gateway/auth/identity.h"
#include "gateway/auth/keyring.h"
#include "gateway/auth/token_options.h"

namespace stoker::crypto {
class Jwt;
}

namespace stoker::gateway {

enum class TokenFault : std::uint8_t {
    None,
    Malformed,      // Not a token that is understood here.
    UnknownIssuer,  // Nobody whose tokens are taken.
    NoKeys,         // The issuer's keys have never been had.
    UnknownKey,     // None of the issuer's keys is the one that it names.
    BadSignature,
    Expired,  // From here on only of tokens that the issuer has signed.
    NotYetValid,
    NoExpiry,
    WrongAudience,
    NoSubject,
    NoTenant,      // No claim says whose it is, or not in a way that is known here.
    UnknownTenant  // The configuration names tenants, and not this one.
};
std::string_view to_string(TokenFault fault);  // snake_case, for metrics and the log.
// For the client: which check failed, nothing of what would have passed.
std::string_view message_of(TokenFault fault);

struct TokenIdentity {
    TokenFault fault = TokenFault::Malformed;
    std::shared_ptr<const Identity> identity{};  // Without a fault.
    Timestamp good_until{};                      // Without a fault: the token's end and the leeway.
};

// REQUIRES: the signature was checked, and `iss` is the issuer's.
TokenIdentity judge_claims(const crypto::Jwt& token, const TokenIssuerOptions& issuer, const Keyring& tenants,
                           Timestamp now);

}  // namespace stoker::gateway
