// limits.redis: where gateways share their limits.
#include <filesystem>

#include "app/config.h"
#include "app/config_checks.h"
#include "app/config_convert.h"

namespace stoker::app {
namespace {

bool is_good(const std::string& url) {
    return net::parse_redis_url(url).has_value();
}

}  // namespace

void describe(config::Fields& f, SharedLimitsConfig& c) {
    f.secret(
        "url", c.url,
        "`redis://[[user]:password@]host[:port][/database]`, or `rediss://` for TLS; what is special in a password "
        "is escaped as in any URL.");
    f.required("url");
    f.check("url", c.url.empty() || is_good(c.url),
            "must be redis://[[user]:password@]host[:port][/database] or rediss://");
    f.field("prefix", c.prefix, "How its keys begin; gateways that share limits have the same.");
    f.check("prefix", !c.prefix.empty() && c.prefix.find_first_of("{}") == std::string::npos,
            "must be something without braces");
    f.field("deadline", c.deadline,
            "How long a request waits for Redis at most; once it has not answered in time, the gateway goes on alone.");
    f.check("deadline", c.deadline >= Duration{5} && c.deadline <= Duration{10'000}, "must be from 5ms to 10s");
    f.field("gateways", c.gateways,
            "How many gateways there are, as long as neither Redis nor a run before this one has said.");
    f.check("gateways", c.gateways >= 1 && c.gateways <= 10'000, "must be from 1 to 10000");
    f.field("ca_file", c.ca_file, "Certificates to trust instead of the system's, with `rediss://`.");
    f.field("verify", c.verify, "Whether its certificate must be good, with `rediss://`.");
}

std::string in_config_folder(const Config& config, const std::string& path) {
    return path.empty() ? path : (std::filesystem::path(config.folder) / path).string();
}

std::optional<gateway::SharedLimitsOptions> shared_limits_options(const Config& config) {
    if (!config.limits.redis) return {};
    const SharedLimitsConfig& c = *config.limits.redis;
    auto redis = net::parse_redis_url(c.url);
    if (!redis) return {};  // Checked before.
    gateway::SharedLimitsOptions options;
    options.redis = *std::move(redis);
    options.redis.tls.ca_file = in_config_folder(config, c.ca_file);
    options.redis.tls.verify = c.verify;
    options.prefix = c.prefix;
    options.deadline = c.deadline;
    options.gateways = c.gateways;
    return options;
}

}  // namespace stoker::app
