// limits: how much tenants, keys, models and all together may ask of the gateway.
#include <set>

#include "app/config.h"
#include "app/config_checks.h"
#include "app/config_convert.h"

namespace stoker::app {
namespace {

constexpr std::int64_t kMost = 1'000'000'000'000'000;

void amount(config::Fields& f, std::string_view key, std::int64_t& value, std::int64_t least, std::string_view doc) {
    f.field(key, value, doc);
    f.check(key, value >= least && value <= kMost, "must be at least " + std::to_string(least) + " and at most 1e15");
}

void amounts(config::Fields& f, RateLimitConfig& c, std::int64_t least) {
    amount(f, "requests_per_minute", c.requests_per_minute, least, "Requests a minute; 0 for no limit.");
    amount(
        f, "tokens_per_minute", c.tokens_per_minute, least,
        "Prompt and completion tokens a minute, reserved by an estimate and corrected by the engine's count; 0 for no "
        "limit.");
    amount(f, "concurrent_requests", c.concurrent_requests, least, "Requests under way at a time; 0 for no limit.");
    amount(f, "tokens_per_day", c.tokens_per_day, least,
           "Tokens a day, from midnight to midnight UTC, kept over restarts; 0 for no limit.");
}

void check_names(config::Fields& f, const std::string& list, const std::vector<NamedRateLimitConfig>& entries) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        f.check(list + "[" + std::to_string(i) + "].name", names.insert(entries[i].name).second,
                "is the name of another entry already");
    }
}

gateway::LimitSet limit_set(const RateLimitConfig& c) {
    return {.requests_per_minute = c.requests_per_minute,
            .tokens_per_minute = c.tokens_per_minute,
            .concurrent_requests = c.concurrent_requests,
            .tokens_per_day = c.tokens_per_day};
}

// What an entry does not say is as for all others.
gateway::LimitSet limit_set(const RateLimitConfig& own, const RateLimitConfig& others) {
    const auto pick = [](std::int64_t mine, std::int64_t theirs) { return mine < 0 ? theirs : mine; };
    return {.requests_per_minute = pick(own.requests_per_minute, others.requests_per_minute),
            .tokens_per_minute = pick(own.tokens_per_minute, others.tokens_per_minute),
            .concurrent_requests = pick(own.concurrent_requests, others.concurrent_requests),
            .tokens_per_day = pick(own.tokens_per_day, others.tokens_per_day)};
}

void convert(const std::vector<NamedRateLimitConfig>& entries, const RateLimitConfig& others,
             std::map<std::string, gateway::LimitSet, std::less<>>& into) {
    for (const NamedRateLimitConfig& entry : entries) into[entry.name] = limit_set(entry.limits, others);
}

}  // namespace

void describe(config::Fields& f, RateLimitConfig& c) {
    amounts(f, c, 0);
}

void describe(config::Fields& f, NamedRateLimitConfig& c) {
    f.field("name", c.name, "The tenant's or model's name, or the key's id.");
    f.required("name");
    amounts(f, c.limits, -1);
}

void describe(config::Fields& f, RateLimitsConfig& c) {
    f.field("burst", c.burst,
            "How much of a minute's requests and tokens may be used at once after a pause: `1m` all of it, `5s` a "
            "twelfth, so that use is spread.");
    f.check("burst", c.burst >= Duration{1'000} && c.burst <= Duration{600'000}, "must be from 1s to 10m");
    f.object("global", c.global, "For all requests together.");
    f.object("each_tenant", c.each_tenant, "For each tenant by itself.");
    f.object("each_key", c.each_key, "For each key by itself.");
    f.object("each_model", c.each_model, "For each model by itself, all clients together.");
    f.list("tenants", c.tenants,
           "Tenants with limits of their own; what an entry leaves at -1 is as in `each_tenant`.");
    check_names(f, "tenants", c.tenants);
    f.list("keys", c.keys, "The same for keys, by their id.");
    check_names(f, "keys", c.keys);
    f.list("models", c.models, "The same for models.");
    check_names(f, "models", c.models);
    f.object("redis", c.redis, "Counts these limits together with other gateways, in Redis (6 or later, or Valkey).");
}

gateway::LimitsOptions limits_options(const Config& config) {
    const RateLimitsConfig& c = config.limits;
    gateway::LimitsOptions options;
    options.burst = c.burst;
    options.global = limit_set(c.global);
    options.each_tenant = limit_set(c.each_tenant);
    options.each_key = limit_set(c.each_key);
    options.each_model = limit_set(c.each_model);
    convert(c.tenants, c.each_tenant, options.tenants);
    convert(c.keys, c.each_key, options.keys);
    convert(c.models, c.each_model, options.models);
    return options;
}

}  // namespace stoker::app
