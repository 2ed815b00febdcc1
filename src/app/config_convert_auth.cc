// auth: from the configuration to the gateway's options.
#include "app/config_convert.h"

namespace stoker::app {
namespace {

gateway::TenantOptions tenant_options(const TenantConfig& c) {
    gateway::TenantOptions options;
    options.name = c.name;
    options.priority = gateway::parse_priority(c.priority).value_or(options.priority);
    options.models = c.models;
    options.metadata = c.metadata;
    return options;
}

gateway::KeyOptions key_options(const KeyConfig& c) {
    gateway::KeyOptions options;
    options.id = c.id;
    options.tenant = c.tenant;
    options.hash = crypto::digest_from_hex(c.sha256).value_or(crypto::Digest{});
    if (const auto expires = parse_timestamp(c.expires)) options.expires = *expires;
    options.priority = gateway::parse_priority(c.priority);
    options.models = c.models;
    options.metadata = c.metadata;
    return options;
}

}  // namespace

gateway::AuthOptions auth_options(const Config& config) {
    gateway::AuthOptions options;
    options.required = config.auth.required;
    for (const TenantConfig& tenant : config.auth.tenants) options.tenants.push_back(tenant_options(tenant));
    for (const KeyConfig& key : config.auth.keys) options.keys.push_back(key_options(key));
    for (const JwtIssuerConfig& issuer : config.auth.jwt) options.issuers.push_back(token_issuer_options(issuer));
    return options;
}

}  // namespace stoker::app
