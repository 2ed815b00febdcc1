#include "gateway/upstream/provider.h"

#include <gtest/gtest.h>

namespace stoker::gateway {
namespace {

using wire::Dialect;

net::Headers sent(const ProviderOptions& options, net::Headers client, Dialect dialect = Dialect::Chat,
                  const std::string& own_key = {}) {
    return provider_headers(
        options, {.client = client, .dialect = dialect, .api_key = own_key, .request_id = "r1", .traceparent = "00-t"});
}

std::string one(const net::Headers& headers, std::string_view name) {
    return std::string(headers.get(name).value_or("-"));
}

TEST(Provider, ShowsTheKeyAsTheApiWantsIt) {
    const struct {
        ProviderApi api;
        Dialect dialect;
        const char* authorization;
        const char* x_api_key;
        const char* api_key;
        const char* version;
    } rows[] = {
        {ProviderApi::OpenAi, Dialect::Chat, "Bearer k", "-", "-", "-"},
        {ProviderApi::OpenAi, Dialect::Messages, "Bearer k", "-", "-", "-"},
        {ProviderApi::Anthropic, Dialect::Messages, "-", "k", "-", "2023-06-01"},
        {ProviderApi::Anthropic, Dialect::Chat, "Bearer k", "-", "-", "-"},
        {ProviderApi::Azure, Dialect::Chat, "-", "-", "k", "-"},
    };
    for (const auto& row : rows) {
        const auto headers = sent({.api = row.api, .api_key = "k"}, {{"Authorization", "Bearer client"}}, row.dialect);
        EXPECT_EQ(one(headers, "authorization"), row.authorization) << to_string(row.api);
        EXPECT_EQ(one(headers, "x-api-key"), row.x_api_key) << to_string(row.api);
        EXPECT_EQ(one(headers, "api-key"), row.api_key) << to_string(row.api);
        EXPECT_EQ(one(headers, "anthropic-version"), row.version) << to_string(row.api);
    }
    EXPECT_EQ(one(sent({.api_key = "k"}, {}, Dialect::Chat, "own"), "authorization"), "Bearer own");
    EXPECT_EQ(one(sent({}, {{"Authorization", "Bearer client"}}), "authorization"), "-");
}

TEST(Provider, WhatTheClientSaysOfItselfStaysHere) {
    const ProviderOptions open{.api_key = "k", .pass_headers = {"*"}, .remove_headers = {"X-Internal-*"}};
    const net::Headers client{{"Authorization", "s"},    {"X-Api-Key", "s"},       {"Cookie", "s"},
                              {"X-Goog-Api-Key", "s"},   {"Content-Type", "json"}, {"X-Internal-User", "u"},
                              {"Accept-Encoding", "br"}, {"X-Other", "o"},         {"X-Request-Id", "client's"},
                              {"Connection", "close"}};
    const auto few = sent({}, client);
    EXPECT_EQ(one(few, "content-type"), "json");
    EXPECT_EQ(one(few, "x-other"), "-");
    const auto all = sent(open, client);
    EXPECT_EQ(one(all, "x-other"), "o");
    EXPECT_EQ(one(all, "x-request-id"), "r1");
    for (const char* name :
         {"x-api-key", "cookie", "x-goog-api-key", "x-internal-user", "accept-encoding", "connection"})
        EXPECT_EQ(one(all, name), "-") << name;
    EXPECT_EQ(one(all, "authorization"), "Bearer k");
}

TEST(Provider, HeadersOfItsOwnReplaceTheClients) {
    const ProviderOptions options{.api = ProviderApi::Anthropic,
                                  .set_headers = {{"Anthropic-Version", "2031-01-01"}, {"X-Org", "o"}}};
    const auto headers = sent(options, {{"anthropic-version", "2030-01-01"}}, Dialect::Messages);
    EXPECT_EQ(one(headers, "anthropic-version"), "2031-01-01");
    EXPECT_EQ(one(headers, "x-org"), "o");
}

TEST(Provider, EndpointsAreWhereTheProviderHasThem) {
    const struct {
        const char* path;
        const char* prefix;
        const char* target;
        const char* at;
    } rows[] = {
        {"/v1", "", "/v1/chat/completions", "/v1/chat/completions"},
        {"/v1", "/openai", "/v1/responses?x=1", "/openai/v1/responses?x=1"},
        {"/v1beta/openai", "", "/v1/embeddings", "/v1beta/openai/embeddings"},
        {"", "/api", "/v1/models", "/api/models"},
        {"/v3", "/a", "/rerank", "/a/rerank"},
        {"/v3", "/a", "/v10/rerank", "/a/v10/rerank"},
        {"/v3", "/a", "/v2/rerank", "/a/v2/rerank"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(provider_target({.path = row.path}, row.prefix, row.target), row.at);
    }
}

TEST(Provider, ModelsHaveOtherNamesThere) {
    const ProviderOptions options{.models = {{"fast", "gpt-mini-2026"}}};
    EXPECT_EQ(options.name_of("fast"), "gpt-mini-2026");
    EXPECT_EQ(options.name_of("other"), "other");
}

TEST(Provider, AnUnchangedTrustStays) {
    EXPECT_FALSE(Provider::create({.ca_file = "/nowhere.pem"}, nullptr));
    const auto system = Provider::create({}, nullptr);
    ASSERT_TRUE(system);
    EXPECT_EQ((*system)->access, nullptr);
    const auto careless = Provider::create({.verify = false}, system->get());
    ASSERT_TRUE(careless && (*careless)->access);
    EXPECT_FALSE((*careless)->access->options.verify);
    const auto again = Provider::create({.api_key = "other", .verify = false}, careless->get());
    ASSERT_TRUE(again);
    EXPECT_EQ((*again)->access, (*careless)->access);
    const auto proxied = Provider::create(
        {.verify = false, .proxy = {.host = "proxy", .port = "3128", .credentials = {}, .bypass = {}}}, again->get());
    ASSERT_TRUE(proxied);
    EXPECT_NE((*proxied)->access, (*again)->access) << "the connections are other ones";
    EXPECT_EQ((*proxied)->access->proxy.host, "proxy");
}

}  // namespace
}  // namespace stoker::gateway
