// Public keys that check signatures of JSON web tokens: RS256, ES256 (P-256) and EdDSA (Ed25519).
//
// No secrets are kept here, and no symmetric algorithm exists here: a public key can't be mistaken for one of those.
// Thread-safe; copies share one key.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY.

namespace stoker::crypto {

enum class SignatureAlgorithm : std::uint8_t { Rs256, Es256, EdDsa };
std::string_view to_string(SignatureAlgorithm algorithm);  // As in a token's `alg`.
std::optional<SignatureAlgorithm> parse_signature_algorithm(std::string_view name);

class PublicKey {
public:
    // From big-endian numbers. Errors: InvalidArgument, also for RSA of less than 2048 bits or more than 8192.
    static Result<PublicKey> rsa(std::string_view modulus, std::string_view exponent);
    // From coordinates of 32 bytes each. Errors: InvalidArgument, also for a point that is not on the curve.
    static Result<PublicKey> p256(std::string_view x, std::string_view y);
    static Result<PublicKey> ed25519(std::string_view key);

    // The one algorithm that the key is for.
    SignatureAlgorithm algorithm() const { return algorithm_; }

    // Whether the holder of the private key signed `data`. ES256's signature is r and s, 32 bytes each.
    bool verify(std::string_view data, std::string_view signature) const;

private:
    PublicKey(SignatureAlgorithm algorithm, evp_pkey_st* key);

    SignatureAlgorithm algorithm_;
    std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace stoker::crypto
