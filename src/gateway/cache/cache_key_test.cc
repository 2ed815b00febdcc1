#include "gateway/cache/cache_key.h"

#include <gtest/gtest.h>

namespace stoker::gateway {
namespace {

struct Given {
    std::string body = R"({"model":"tiny","temperature":0,"messages":[{"role":"user","content":"hi"}]})";
    std::string target = "/v1/chat/completions";
    std::string model = "tiny";
    std::string tenant = "acme";
    net::Headers headers = {};
    bool credentials_go_up = false;
};

CacheIdentity identity_of(const Given& given) {
    const auto scan = wire::scan_request(given.body);
    EXPECT_TRUE(scan) << given.body;
    return identify({.target = given.target,
                     .body = given.body,
                     .scan = *scan,
                     .model = given.model,
                     .tenant = given.tenant,
                     .headers = given.headers,
                     .credentials_go_up = given.credentials_go_up});
}

Given body(std::string text) {
    Given given;
    given.body = std::move(text);
    return given;
}

TEST(CacheKey, WhatMeansTheSameHasOneKey) {
    const CacheKey plain = identity_of({}).key;
    const std::string same[] = {
        R"({"messages":[{"role":"user","content":"hi"}],"model":"tiny","temperature":0})",
        R"({ "model": "tiny", "temperature": 0, "messages": [ {"role": "user", "content": "hi"} ] })",
        R"({"model":"tiny","temperature":0,"messages":[{"role":"user","content":"hi"}],"user":"u1"})",
        R"({"model":"tiny","temperature":0,"messages":[{"role":"user","content":"hi"}],"stream":false})",
        R"({"model":"alias","temperature":0,"messages":[{"role":"user","content":"hi"}]})",
    };
    for (const auto& text : same) EXPECT_EQ(identity_of(body(text)).key, plain) << text;
}

TEST(CacheKey, WhateverMayChangeTheAnswerChangesTheKey) {
    std::vector<Given> different = {{}};
    const std::string bodies[] = {
        R"({"model":"tiny","temperature":0,"messages":[{"role":"user","content":"hi "}]})",
        R"({"model":"tiny","temperature":0,"messages":[{"content":"hi","role":"user"}]})",
        R"({"model":"tiny","temperature":0,"messages":[{"role":"user","content":"hi"}],"max_tokens":5})",
        R"({"model":"tiny","temperature":0,"messages":[{"role":"user","content":"hi"}],"stream":true})",
        R"({"model":"tiny","temperature":0,"messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true}})",
        R"({"model":"tiny","temperature":0,"messages":[{"role":"user","content":"hi"}],"cache_salt":"x"})",
    };
    for (const auto& text : bodies) different.push_back(body(text));
    Given other;
    other.tenant = "globex";
    different.push_back(other);
    other = {};
    other.model = "big";
    different.push_back(other);
    other = {};
    other.target = "/v1/chat/completions?x=1";
    different.push_back(other);
    other = {};
    other.headers = {{"anthropic-beta", "tools"}};
    different.push_back(other);
    other = {};
    other.headers = {{"authorization", "Bearer a"}};
    other.credentials_go_up = true;
    different.push_back(other);
    other.headers = {{"authorization", "Bearer b"}};
    different.push_back(other);
    for (std::size_t a = 0; a < different.size(); ++a) {
        for (std::size_t b = 0; b < a; ++b) {
            EXPECT_NE(identity_of(different[a]).key, identity_of(different[b]).key) << a << " and " << b;
        }
    }
}

TEST(CacheKey, CredentialsThatStayHereDoNotMatter) {
    Given a;
    a.headers = {{"authorization", "Bearer a"}};
    EXPECT_EQ(identity_of(a).key, identity_of({}).key);
}

TEST(CacheKey, KnowsWhatIsDeterministic) {
    const struct {
        std::string members;
        bool deterministic;
        CacheBar bar = CacheBar::None;
    } cases[] = {
        {R"("temperature":0)", true},
        {R"("temperature":0.0)", true},
        {R"("temperature":0e5)", true},
        {R"("temperature":0.01)", false},
        {R"("temperature":null)", false},
        {R"("temperature":"0")", false},
        {R"("top_p":1)", false},
        {R"("seed":7)", true},
        {R"("seed":null)", false},
        {R"("temperature":0,"n":1)", true},
        {R"("temperature":0,"n":null)", true},
        {R"("temperature":0,"n":2)", true, CacheBar::SeveralChoices},
        {R"("seed":1,"best_of":3)", true, CacheBar::SeveralChoices},
        {R"("temperature":0,"store":true)", false, CacheBar::SideEffects},
    };
    for (const auto& one : cases) {
        const auto found = identity_of(body(R"({"model":"tiny","messages":[],)" + one.members + "}"));
        EXPECT_EQ(found.bar, one.bar) << one.members;
        EXPECT_EQ(found.deterministic, one.deterministic) << one.members;
    }
}

TEST(CacheKey, KnowsItsEndpoints) {
    const struct {
        std::string target;
        AnswerKind kind;
        bool deterministic;
    } cases[] = {
        {"/v1/chat/completions", AnswerKind::Sampled, false}, {"/v1/messages", AnswerKind::Sampled, false},
        {"/v1/embeddings", AnswerKind::Computed, true},       {"/v1/embeddings?a=b", AnswerKind::Computed, true},
        {"/v1/rerank", AnswerKind::Computed, true},           {"/v1/responses", AnswerKind::Other, false},
        {"/v1/images/generations", AnswerKind::Other, false}};
    for (const auto& one : cases) {
        Given given = body(R"({"model":"tiny","input":"x"})");
        given.target = one.target;
        const auto found = identity_of(given);
        EXPECT_EQ(found.kind, one.kind) << one.target;
        EXPECT_EQ(found.deterministic, one.deterministic) << one.target;
        EXPECT_EQ(found.bar, one.kind == AnswerKind::Other ? CacheBar::Endpoint : CacheBar::None);
    }
}

TEST(CacheKey, ReadsCacheControl) {
    EXPECT_TRUE(parse_cache_control("no-store").no_store);
    EXPECT_TRUE(parse_cache_control("max-age=0, No-Cache").no_cache);
    EXPECT_EQ(parse_cache_control("max-age=60").max_age_s, 60);
    EXPECT_FALSE(parse_cache_control("max-age=x").max_age_s);
    const auto nothing = parse_cache_control("");
    EXPECT_FALSE(nothing.no_store || nothing.no_cache || nothing.max_age_s);
}

}  // namespace
}  // namespace stoker::gateway
