// auth.jwt: issuers whose tokens are taken instead of keys.
#include <set>

#include "app/config.h"
#include "app/config_checks.h"
#include "app/config_convert.h"

namespace stoker::app {

void describe(config::Fields& f, JwtIssuerConfig& c) {
    f.field("issuer", c.issuer, "Exactly as its tokens say it in `iss`: https://id.example/realms/main.");
    f.required("issuer");
    f.field("audiences", c.audiences, "Tokens must be for one of these (`aud`).");
    f.check("audiences", !c.audiences.empty(), "must name at least one: tokens for others are not for this gateway");
    f.field("jwks_url", c.jwks_url,
            "Where its signing keys are. Empty: what ISSUER/.well-known/openid-configuration says.");
    check_url(f, "jwks_url", c.jwks_url);
    f.field("jwks_file", c.jwks_file, "A file with its signing keys instead, from the folder of this file.");
    f.check("jwks_file", c.jwks_file.empty() || c.jwks_url.empty(), "can't be given together with jwks_url");
    f.field("ca_file", c.ca_file,
            "Certificates (PEM) to trust instead of the system's when its keys are fetched, for an issuer with "
            "certificates of a private authority; from the folder of this file.");
    f.check("ca_file", c.ca_file.empty() || c.jwks_file.empty(), "says nothing where the keys come from jwks_file");
    if (c.jwks_url.empty() && c.jwks_file.empty()) check_url(f, "issuer", c.issuer);
    positive(f, "refresh", c.refresh,
             "How often the keys are looked at again. A token that names a key that is not known makes that happen at "
             "once. While the issuer is away the last good keys stay.");
    positive(f, "timeout", c.timeout, "Limit for one fetch.");
    f.field("leeway", c.leeway, "How far the issuer's clock and this one may differ.");
    f.check("leeway", c.leeway >= Duration{0} && c.leeway <= std::chrono::hours{1}, "must be from 0 to 1h");
    f.field("tenant_claim", c.tenant_claim,
            "The claim with the tenant; dots lead into objects (`realm_access.roles`).");
    f.field(
        "tenants", c.tenants,
        "From values of that claim to tenants; of a list the first that stands here. Empty: the value is the tenant.");
    f.field("tenant", c.tenant, "Tenant of tokens without that claim. Empty: they are refused.");
    f.check("tenant", c.tenant.empty() || is_plain_name(c.tenant),
            "must be letters, digits, '_', '.', '-', at most 64");
    f.check("tenant", !c.tenant.empty() || !c.tenant_claim.empty(), "or tenant_claim must say whose tokens these are");
    for (const auto& [value, tenant] : c.tenants) {
        f.check("tenants", is_plain_name(tenant), "'" + tenant + "' can't be the name of a tenant");
    }
    f.field("models_claim", c.models_claim,
            "The claim with the models that may be asked for: a list, or one text with blanks between; names or "
            "beginnings of names (`llama-*`), of the tenant's. If it is named here, tokens without it may use none.");
    f.field("priority_claim", c.priority_claim, "The claim with low, normal or high. Without it: the tenant's.");
    f.field("metadata_claims", c.metadata_claims,
            "Texts for rules: from their name here to the claim, as in {team: department}.");
}

void check_jwt(config::Fields& f, const AuthConfig& auth) {
    std::set<std::string> tenants;
    std::set<std::string> issuers;
    for (const TenantConfig& tenant : auth.tenants) tenants.insert(tenant.name);
    const auto known = [&](const std::string& name) { return tenants.empty() || tenants.contains(name); };
    for (std::size_t i = 0; i < auth.jwt.size(); ++i) {
        const JwtIssuerConfig& issuer = auth.jwt[i];
        const std::string at = "jwt[" + std::to_string(i) + "].";
        f.check(at + "issuer", issuers.insert(issuer.issuer).second, "is the issuer of another entry already");
        f.check(at + "tenant", issuer.tenant.empty() || known(issuer.tenant),
                "there is no tenant '" + issuer.tenant + "'");
        for (const auto& [value, tenant] : issuer.tenants) {
            f.check(at + "tenants", known(tenant), "there is no tenant '" + tenant + "'");
        }
    }
}

gateway::TokenIssuerOptions token_issuer_options(const JwtIssuerConfig& c) {
    return {.issuer = c.issuer,
            .audiences = c.audiences,
            .leeway = c.leeway,
            .tenant_claim = c.tenant_claim,
            .tenants = c.tenants,
            .tenant = c.tenant,
            .models_claim = c.models_claim,
            .priority_claim = c.priority_claim,
            .metadata_claims = c.metadata_claims};
}

std::vector<IssuerSource> issuer_sources(const Config& config) {
    std::vector<IssuerSource> sources;
    for (const JwtIssuerConfig& c : config.auth.jwt) {
        sources.push_back({.issuer = c.issuer,
                           .url = c.jwks_url,
                           .file = in_config_folder(config, c.jwks_file),
                           .ca_file = in_config_folder(config, c.ca_file),
                           .refresh = c.refresh,
                           .timeout = c.timeout});
    }
    return sources;
}

}  // namespace stoker::app
