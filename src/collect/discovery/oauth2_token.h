// OAuth 2.0's client credentials (RFC 6749, 4.4): the request for a token, and what its answer says. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "collect/discovery/http_config.h"
#include "net/http.h"

namespace stoker::collect {

// How the client says who it is (RFC 6749, 2.3.1). The header comes first; endpoints that don't take it get the body.
enum class OAuth2Style : std::uint8_t { Header, Body };

struct OAuth2Request {
    net::Headers headers;
    std::string body;
};

OAuth2Request oauth2_request(const OAuth2Config& config, const std::string& secret, OAuth2Style style);

struct OAuth2Token {
    std::string authorization;  // "Bearer …", as it is sent.
    Duration good_for{0};       // 0: nobody said.
};

// Errors: PermissionDenied (400 or 401: another style may do), Unavailable (other statuses), InvalidArgument (no token
// in it).
Result<OAuth2Token> oauth2_token(int status, std::string_view body);

}  // namespace stoker::collect
