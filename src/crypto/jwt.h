// JSON web tokens in their signed, compact form (RFC 7519, RFC 7515): HEADER.CLAIMS.SIGNATURE.
//
// What stands in a token is only what somebody says until its signature was checked. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/jwk.h"

namespace stoker::crypto {

inline constexpr std::size_t kMostTokenBytes = 16 * 1024;

// Whether it has the form of a token, at a glance.
bool looks_like_jwt(std::string_view text);

class Jwt {
public:
    // Errors: InvalidArgument (not a token, an algorithm that is not known here such as `none` or HS256, a critical
    // extension).
    static Result<Jwt> parse(std::string token);

    SignatureAlgorithm algorithm() const { return algorithm_; }
    const std::string& key_id() const { return key_id_; }  // Empty: the token names none.

    bool is_signed_by(const KeySet& keys) const;

    // Claims. Nothing if they are not there or of another type. A path leads into objects: "realm_access.roles"; a
    // claim whose own name has dots in it ("https://example.com/tenant") is found as well.
    std::optional<std::string> text(std::string_view path) const;
    // One text or a list of texts; with `split`, one text of several with blanks between, as in `scope`.
    std::optional<std::vector<std::string>> texts(std::string_view path, bool split = false) const;
    // Seconds since 1970; fractions are cut off, and what is past the end of time is its end.
    std::optional<std::int64_t> seconds(std::string_view path) const;
    bool has(std::string_view path) const { return find(path) != nullptr; }

private:
    const nlohmann::json* find(std::string_view path) const;

    SignatureAlgorithm algorithm_ = SignatureAlgorithm::Rs256;
    std::string key_id_;
    std::string token_;
    std::size_t signed_bytes_ = 0;  // Of the token, from its beginning.
    std::string signature_;
    nlohmann::json claims_;
};

}  // namespace stoker::crypto
