// Who may use the gateway, as the configuration says it: tenants, keys by their hash, issuers of tokens.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/issuer_source.h"
#include "base/config.h"
#include "base/time.h"
#include "gateway/auth/token_options.h"

namespace stoker::app {

struct TenantConfig {
    std::string name;
    std::string priority = "normal";
    std::vector<std::string> models;
    std::map<std::string, std::string> metadata;
};

// A key that the file holds by its hash.
struct KeyConfig {
    std::string id;
    std::string sha256;
    std::string tenant;
    std::string expires;
    std::string priority = "tenant";
    std::vector<std::string> models;
    std::map<std::string, std::string> metadata;
};

// An issuer whose tokens are taken instead of keys.
struct JwtIssuerConfig {
    std::string issuer;
    std::vector<std::string> audiences;
    std::string jwks_url;
    std::string jwks_file;
    std::string ca_file;
    Duration refresh = IssuerSource{}.refresh;
    Duration timeout = IssuerSource{}.timeout;
    Duration leeway = gateway::TokenIssuerOptions{}.leeway;
    std::string tenant_claim;
    std::map<std::string, std::string> tenants;
    std::string tenant;
    std::string models_claim;
    std::string priority_claim;
    std::map<std::string, std::string> metadata_claims;
};

struct AuthConfig {
    bool required = false;
    std::vector<TenantConfig> tenants;
    std::vector<KeyConfig> keys;
    std::vector<JwtIssuerConfig> jwt;
};

void describe(config::Fields& f, TenantConfig& c);
void describe(config::Fields& f, KeyConfig& c);
void describe(config::Fields& f, JwtIssuerConfig& c);
void describe(config::Fields& f, AuthConfig& c);
// That issuers are named once, and their tenants at all.
void check_jwt(config::Fields& f, const AuthConfig& auth);

}  // namespace stoker::app
