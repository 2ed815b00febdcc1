// How a job's or a source's HTTP requests are made: Prometheus' HTTP client settings.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "collect/discovery/proxy_config.h"

namespace stoker::collect {

struct BasicAuthConfig {
    std::string username;
    std::string password;
    std::string password_file;
    friend bool operator==(const BasicAuthConfig&, const BasicAuthConfig&) = default;
};

struct AuthorizationConfig {
    std::string type = "Bearer";
    std::string credentials;
    std::string credentials_file;
    friend bool operator==(const AuthorizationConfig&, const AuthorizationConfig&) = default;
};

struct TlsConfig {
    std::string ca_file;
    std::string cert_file;
    std::string key_file;
    bool insecure_skip_verify = false;
    friend bool operator==(const TlsConfig&, const TlsConfig&) = default;
};

// Client credentials (RFC 6749, 4.4).
struct OAuth2Config {
    std::string client_id;
    std::string client_secret;
    std::string client_secret_file;
    std::vector<std::string> scopes;
    std::string token_url;
    std::map<std::string, std::string> endpoint_params;
    std::optional<TlsConfig> tls_config;
    ProxyConfig proxy;
    friend bool operator==(const OAuth2Config&, const OAuth2Config&) = default;
};

// Paths are as written until resolve_paths().
struct HttpConfig {
    std::optional<BasicAuthConfig> basic_auth;
    std::optional<AuthorizationConfig> authorization;
    std::string bearer_token;
    std::string bearer_token_file;
    std::optional<OAuth2Config> oauth2;
    std::optional<TlsConfig> tls_config;
    ProxyConfig proxy;
    bool follow_redirects = true;
    friend bool operator==(const HttpConfig&, const HttpConfig&) = default;
};

void describe(config::Fields& f, BasicAuthConfig& c);
void describe(config::Fields& f, AuthorizationConfig& c);
void describe(config::Fields& f, TlsConfig& c);
void describe(config::Fields& f, OAuth2Config& c);

// Its keys stand beside those of what it belongs to.
void describe_http(config::Fields& f, HttpConfig& c);

// `path` from `folder`, unless it is empty or absolute.
std::string from_folder(const std::string& path, const std::string& folder);
void resolve_paths(HttpConfig& c, const std::string& folder);

// Says of each key that it is not supported, at its place, where it is given.
void refuse(config::Fields& f, std::initializer_list<std::string_view> keys, std::string_view why);

}  // namespace stoker::collect
