#include "gateway/upstream/provider.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "gateway/route/route_rules.h"

namespace stoker::gateway {
namespace {

constexpr std::string_view kAnthropicVersion = "2023-06-01";  // What its API has been at since; clients may name newer.
constexpr std::array kApis = {ProviderApi::OpenAi, ProviderApi::Anthropic, ProviderApi::Azure};

// What a client says of its request, not of itself.
constexpr std::array<std::string_view, 6> kPassed = {"accept",         "content-type", "anthropic-version",
                                                     "anthropic-beta", "openai-beta",  "idempotency-key"};
constexpr std::array<std::string_view, 5> kCredentials = {"authorization", "proxy-authorization", "cookie", "api-key",
                                                          "x-api-key"};
constexpr std::array<std::string_view, 6> kAnswered = {"content-type",  "content-disposition", "content-language",
                                                       "cache-control", "retry-after",         "retry-after-ms"};

template <typename List>
bool is_one_of(std::string_view name, const List& names) {
    return std::any_of(names.begin(), names.end(),
                       [name](std::string_view other) { return equals_ignore_case(name, other); });
}

bool matches_any(std::string_view name, const std::vector<std::string>& patterns) {
    const std::string lower = to_lower(name);
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return matches_pattern(to_lower(pattern), lower); });
}

bool passes(const ProviderOptions& options, std::string_view name) {
    if (is_credential(name) || net::is_hop_by_hop(name)) return false;
    if (!is_one_of(name, kPassed) && !matches_any(name, options.pass_headers)) return false;
    return !matches_any(name, options.remove_headers);
}

// Those that the gateway itself has to say.
bool is_set_here(std::string_view name) {
    constexpr std::array<std::string_view, 6> kOwn = {"host",   "content-length", "accept-encoding",
                                                      "expect", "x-request-id",   "traceparent"};
    return is_one_of(name, kOwn);
}

}  // namespace

std::string_view to_string(ProviderApi api) {
    switch (api) {
        case ProviderApi::OpenAi:
            return "openai";
        case ProviderApi::Anthropic:
            return "anthropic";
        case ProviderApi::Azure:
            return "azure";
    }
    return "unknown";
}

std::optional<ProviderApi> parse_provider_api(std::string_view text) {
    for (const ProviderApi api : kApis) {
        if (to_string(api) == text) return api;
    }
    return {};
}

const std::string& ProviderOptions::name_of(const std::string& model) const {
    const auto found = models.find(model);
    return found == models.end() ? model : found->second;
}

Result<std::shared_ptr<const Provider>> Provider::create(ProviderOptions options, const Provider* before) {
    auto made = std::make_shared<Provider>();
    made->options = std::move(options);
    const ProviderOptions& wanted = made->options;
    if (wanted.ca_file.empty() && wanted.verify && wanted.proxy.host.empty()) {
        return std::shared_ptr<const Provider>(std::move(made));
    }
    auto access = std::make_shared<ProviderAccess>();
    access->options.ca_file = wanted.ca_file;
    access->options.verify = wanted.verify;
    access->proxy = wanted.proxy;
    if (!wanted.ca_file.empty()) {
        auto text = read_file(wanted.ca_file);
        if (!text) return std::move(text).error().context("ca_file");
        access->ca = *std::move(text);
    }
    const bool same = before != nullptr && before->access && before->access->ca == access->ca &&
                      before->access->options.ca_file == wanted.ca_file &&
                      before->access->options.verify == wanted.verify && before->access->proxy == wanted.proxy;
    made->access = same ? before->access : std::move(access);
    return std::shared_ptr<const Provider>(std::move(made));
}

bool is_credential(std::string_view header) {
    return is_one_of(header, kCredentials) || to_lower(header).ends_with("-api-key");
}

std::string provider_target(const ProviderOptions& options, std::string_view prefix, std::string_view target) {
    constexpr std::string_view kRoot = "/v1";
    std::string at(prefix);
    if (target.starts_with(kRoot) && (target.size() == kRoot.size() || target[kRoot.size()] == '/')) {
        at += options.path;
        target.remove_prefix(kRoot.size());
    }
    return at.append(target);
}

net::Headers provider_headers(const ProviderOptions& options, ProviderRequest request) {
    net::Headers headers;
    for (const auto& [name, value] : request.client) {
        if (passes(options, name) && !is_set_here(name)) headers.add(name, value);
    }
    headers.set("x-request-id", request.request_id);
    headers.set("traceparent", std::move(request.traceparent));
    const bool anthropic = options.api == ProviderApi::Anthropic && request.dialect == wire::Dialect::Messages;
    if (anthropic && !headers.get("anthropic-version"))
        headers.add("anthropic-version", std::string(kAnthropicVersion));
    for (const auto& [name, value] : options.set_headers) headers.set(name, value);
    const std::string& key = request.api_key.empty() ? options.api_key : request.api_key;
    if (key.empty()) return headers;
    if (anthropic) {
        headers.set("x-api-key", key);
    } else if (options.api == ProviderApi::Azure) {
        headers.set("api-key", key);
    } else {
        headers.set("authorization", "Bearer " + key);
    }
    return headers;
}

bool is_answer_header(std::string_view header) {
    return is_one_of(header, kAnswered);
}

bool refuses_key(int status) {
    return status == 401 || status == 402 || status == 403;
}

}  // namespace stoker::gateway
