// auth: who may use the gateway.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "app/config.h"
#include "app/config_checks.h"
#include "crypto/hash.h"

namespace stoker::app {
namespace {

void describe_priority(config::Fields& f, std::string& value, std::vector<std::string> allowed, std::string_view doc) {
    f.choice("priority", value, std::move(allowed), doc);
}

}  // namespace

void describe(config::Fields& f, TenantConfig& c) {
    f.field("name", c.name, "Name in keys, records, labels and limits: letters, digits, '_', '.', '-'.");
    f.required("name");
    f.check("name", c.name.empty() || is_plain_name(c.name), "must be letters, digits, '_', '.', '-', at most 64");
    describe_priority(f, c.priority, {"low", "normal", "high"},
                      "When there is not enough for all, the lower go first. A key may have its own.");
    f.field("models", c.models, "What it may ask for, as names or as beginnings of names (`llama-*`). Empty: all.");
    f.field("metadata", c.metadata, "Texts for rules and records, such as a team or a cost centre.");
}

void describe(config::Fields& f, KeyConfig& c) {
    f.field("id", c.id, "Name of the key in lists, logs and records: letters, digits, '_', '.', '-'.");
    f.required("id");
    f.check("id", c.id.empty() || is_plain_name(c.id), "must be letters, digits, '_', '.', '-', at most 64");
    f.field("sha256", c.sha256,
            "SHA-256 of the whole key, 64 hex digits: `printf %s \"$KEY\" | sha256sum` says it. Only long random keys: "
            "a hash of a short one can be guessed.");
    f.required("sha256");
    f.check("sha256", c.sha256.empty() || crypto::digest_from_hex(c.sha256).has_value(), "must be 64 hex digits");
    f.field("tenant", c.tenant, "Whose it is. One of `tenants`, if there are any.");
    f.required("tenant");
    f.check("tenant", c.tenant.empty() || is_plain_name(c.tenant),
            "must be letters, digits, '_', '.', '-', at most 64");
    f.field("expires", c.expires, "Not good from then on: 2027-01-31T00:00:00Z. Empty: good for ever.");
    f.check("expires", c.expires.empty() || parse_timestamp(c.expires).has_value(),
            "must be a time: 2027-01-31T00:00:00Z");
    describe_priority(f, c.priority, {"tenant", "low", "normal", "high"}, "`tenant` takes the tenant's.");
    f.field("models", c.models, "Those of the tenant's models that it may ask for. Empty: all of them.");
    f.field("metadata", c.metadata, "Added to the tenant's, and over it.");
}

void describe(config::Fields& f, AuthConfig& c) {
    f.field(
        "required", c.required,
        "Requests to the gateway need a key. Without, requests without a key of Stoker's pass, and what they send as "
        "Authorization goes on to the engine; one that has a key is its tenant's all the same.");
    f.list("tenants", c.tenants,
           "Who uses the gateway. If any are named, keys of others are refused, and tenants become labels of metrics.");
    f.list("keys", c.keys,
           "Keys kept in this file by their hash. Others are made while Stoker runs: see `stoker keys`.");
    f.list("jwt", c.jwt, "Issuers (OpenID Connect and others) whose tokens are taken instead of keys.");
    check_jwt(f, c);
    std::set<std::string> tenants;
    for (std::size_t i = 0; i < c.tenants.size(); ++i) {
        f.check(fmt::format("tenants[{}].name", i), tenants.insert(c.tenants[i].name).second,
                fmt::format("another tenant is named '{}' already", c.tenants[i].name));
    }
    std::set<std::string> ids;
    std::set<std::string> hashes;
    for (std::size_t i = 0; i < c.keys.size(); ++i) {
        const KeyConfig& key = c.keys[i];
        f.check(fmt::format("keys[{}].id", i), ids.insert(key.id).second,
                fmt::format("another key has the id '{}' already", key.id));
        f.check(fmt::format("keys[{}].sha256", i), hashes.insert(key.sha256).second,
                "another key has this hash already");
        f.check(fmt::format("keys[{}].tenant", i), tenants.empty() || tenants.contains(key.tenant),
                fmt::format("there is no tenant '{}'", key.tenant));
    }
}

}  // namespace stoker::app
