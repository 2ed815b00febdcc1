// pools[].provider: a pool whose replicas are somebody else's API.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "app/config.h"
#include "app/config_checks.h"
#include "app/config_convert.h"
#include "base/text.h"
#include "gateway/upstream/provider.h"
#include "net/http.h"

namespace stoker::app {
namespace {

bool is_header_name(std::string_view text, bool pattern) {
    constexpr std::string_view kOther = "!#$%&'+-.^_`|~";  // RFC 9110, 5.6.2
    return !text.empty() && std::all_of(text.begin(), text.end(), [pattern, kOther](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (pattern && c == '*') ||
               kOther.find(c) != std::string_view::npos;
    });
}

bool is_header_value(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c == '\t' || static_cast<unsigned char>(c) >= 0x20; });
}

void check_patterns(config::Fields& f, const std::string& key, const std::vector<std::string>& patterns) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        f.check(fmt::format("{}[{}]", key, i), is_header_name(patterns[i], true), "is not the name of a header");
    }
}

// A key must not travel where everybody can read it.
bool is_private(const net::Url& url) {
    return url.tls || url.host == "localhost" || url.host == "::1" || url.host.starts_with("127.");
}

std::string variable(const char* name, const char* other) {
    for (const char* each : {name, other}) {
        const char* value = std::getenv(each);
        if (value != nullptr && *value != '\0') return value;
    }
    return {};
}

}  // namespace

Result<net::ProxyOptions> configured_proxy(const std::string& text) {
    net::ProxyOptions proxy;
    if (text == "none" || text.empty()) return proxy;
    if (text != "environment") {
        TRY(proxy, net::parse_proxy(text));
    } else if (const std::string given = variable("https_proxy", "HTTPS_PROXY"); !given.empty()) {
        auto parsed = net::parse_proxy(given);
        if (!parsed) return std::move(parsed).error().context("HTTPS_PROXY");
        proxy = *std::move(parsed);
        proxy.bypass = net::parse_no_proxy(variable("no_proxy", "NO_PROXY"));
        for (const char* here : {"localhost", "127.0.0.0/8", "::1"}) proxy.bypass.emplace_back(here);
    }
    return proxy;
}

namespace {

Result<net::ProxyOptions> provider_proxy(const ProviderConfig& c) {
    TRY(auto proxy, configured_proxy(c.proxy));
    if (!c.proxy_credentials.empty()) proxy.credentials = c.proxy_credentials;
    return proxy;
}

}  // namespace

void describe(config::Fields& f, ProviderConfig& c) {
    f.choice("api", c.api, {"openai", "anthropic", "azure"},
             "How the key is shown: `openai` and whatever is compatible with it as a bearer token, `anthropic` as "
             "x-api-key with anthropic-version at /v1/messages (elsewhere as a bearer token), `azure` as api-key.");
    f.secret("api_key", c.api_key,
             "The key for all replicas that have no `api_key` of their own; `${NAME}` takes it from the environment.");
    f.field(
        "path", c.path,
        "What stands at the provider for the /v1 of endpoints, after the path of the replica's URL: /v1beta/openai.");
    f.check("path", c.path.empty() || (c.path.starts_with('/') && !c.path.ends_with('/')),
            "must begin with '/' and not end with one");
    f.field("models", c.models, "From names under the pool's `models` to the provider's; others go up as they are.");
    f.secrets("set_headers", c.set_headers,
              "Headers that are added to each request, in place of the client's of that name. Their values are never "
              "shown: they may be keys.");
    for (const auto& [name, value] : c.set_headers) {
        f.check("set_headers", is_header_name(name, false), fmt::format("'{}' is not the name of a header", name));
        f.check("set_headers", is_header_value(value),
                fmt::format("the value of '{}' has characters no header may", name));
    }
    f.field("pass_headers", c.pass_headers,
            "Client's headers that go up too; `*` stands for any characters. Without it only accept, content-type, "
            "anthropic-version, anthropic-beta, openai-beta and idempotency-key do; credentials and cookies never.");
    check_patterns(f, "pass_headers", c.pass_headers);
    for (std::size_t i = 0; i < c.pass_headers.size(); ++i) {
        f.check(fmt::format("pass_headers[{}]", i), !gateway::is_credential(c.pass_headers[i]),
                "carries clients' credentials, which never go to a provider");
    }
    f.field("remove_headers", c.remove_headers, "Client's headers that do not go up although they would; with `*`.");
    check_patterns(f, "remove_headers", c.remove_headers);
    f.field("ca_file", c.ca_file,
            "Certificates (PEM) that the provider's is checked against, relative to the configuration file. Empty: the "
            "system's.");
    f.field("verify", c.verify, "Whether the provider's certificate is checked; false trusts whoever answers.");
    f.field("proxy", c.proxy,
            "HTTP proxy on the way, asked for a connection (CONNECT): http://HOST:PORT, or `none`. `environment` takes "
            "that of HTTPS_PROXY (or https_proxy), save for this machine and the hosts in NO_PROXY.");
    const auto proxy = provider_proxy(c);
    f.check("proxy", proxy.has_value(), proxy ? "" : proxy.error().message);
    f.check("proxy", c.proxy.find('@') == std::string::npos, "must not hold a password: give proxy_credentials");
    f.secret("proxy_credentials", c.proxy_credentials, "user:password for `proxy`.");
    f.check("proxy_credentials", c.proxy_credentials.empty() || is_header_value(c.proxy_credentials),
            "has characters no header may");
    f.field("probe", c.probe,
            "Whether replicas are asked for `health.path`, with the key; /v1/models is a good one, and its /v1 is "
            "replaced by "
            "`path`. Otherwise only real requests say how they are.");
}

void check_provider(config::Fields& f, const PoolConfig& pool) {
    if (!pool.provider) return;
    for (std::size_t i = 0; i < pool.replicas.size(); ++i) {
        const ReplicaConfig& replica = pool.replicas[i];
        const auto url = net::parse_url(replica.url);
        f.check(fmt::format("replicas[{}].url", i), !url || is_private(*url),
                "must be https: a provider's key goes over it");
        f.check(fmt::format("replicas[{}].run", i), replica.run.empty(),
                "is for engines of your own, not a provider's");
        f.check(fmt::format("replicas[{}].systemd", i), replica.systemd.empty(),
                "is for engines of your own, not a provider's");
    }
    for (const auto& [name, theirs] : pool.provider->models) {
        const bool served = std::find(pool.models.begin(), pool.models.end(), name) != pool.models.end();
        f.check("provider.models", served, fmt::format("'{}' is not one of the pool's models", name));
        f.check("provider.models", !theirs.empty(), fmt::format("the provider's name for '{}' is empty", name));
    }
}

gateway::ProviderOptions provider_options(const ProviderConfig& c, const std::string& folder) {
    gateway::ProviderOptions options;
    options.api = gateway::parse_provider_api(c.api).value_or(options.api);
    options.api_key = c.api_key;
    options.path = c.path;
    options.models = c.models;
    options.set_headers = c.set_headers;
    options.pass_headers = c.pass_headers;
    options.remove_headers = c.remove_headers;
    if (!c.ca_file.empty()) options.ca_file = (std::filesystem::path(folder) / c.ca_file).string();
    options.verify = c.verify;
    if (auto proxy = provider_proxy(c)) options.proxy = *std::move(proxy);  // Checked when it was read.
    return options;
}

}  // namespace stoker::app
