// Tokens instead of keys: what of their claims counts, which faults they have, and that good ones are found again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/base64url.h"
#include "crypto/jwt.h"
#include "gateway/auth/auth_failures.h"
#include "gateway/auth/token_demand.h"
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using namespace std::chrono_literals;

// Made with Node's crypto: EdDSA, kid "one" and "two"; iss https://id.example, aud stoker, sub alice, org acme,
// exp 2000000000.
const std::string kTokenOne =
    "eyJhbGciOiJFZERTQSIsImtpZCI6Im9uZSJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJhdWQiOiJzdG9rZXIiLCJzdWI"
    "iOiJhbGljZSIsImV4cCI6MjAwMDAwMDAwMCwib3JnIjoiYWNtZSJ9.yCm8FL52f9TR0U-AThRdZ02AIYyM8QzGOd51a9_d4g9SpB"
    "jxc8lj7yyFPrCoiXW-AFci4GqIbaok1SS1w7UHCA";
const std::string kTokenTwo =
    "eyJhbGciOiJFZERTQSIsImtpZCI6InR3byJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJhdWQiOiJzdG9rZXIiLCJzdWI"
    "iOiJhbGljZSIsImV4cCI6MjAwMDAwMDAwMCwib3JnIjoiYWNtZSJ9.yCbzXCq-4--AP8QdDNKYAFB0ClVIx9CI1sllfpF5-iO-Xk"
    "1PhGXEO2j_JSigR7jQR-q_W9mOyg4L-T9SwYe7CQ";
constexpr char kKeyOne[] = "3YDnlxVhIKzFcPcEqcXVcGNpXErfPlcTrtTvSbP9e_4";
constexpr char kKeyTwo[] = "ExIe-u_WvmcvA4AVRoLPQ5GCA5249M_PH5KYqIdZL70";
constexpr std::int64_t kExpiry = 2'000'000'000;

std::string jwk(const std::string& id, const std::string& x) {
    return R"({"kty":"OKP","crv":"Ed25519","kid":")" + id + R"(","x":")" + x + R"("})";
}
std::shared_ptr<const crypto::KeySet> key_set(const std::string& jwks) {
    auto parsed = crypto::KeySet::parse(R"({"keys":[)" + jwks + "]}");
    EXPECT_TRUE(parsed);
    return std::make_shared<const crypto::KeySet>(*std::move(parsed));
}

TokenIssuerOptions issuer() {
    TokenIssuerOptions options;
    options.issuer = "https://id.example";
    options.audiences = {"stoker"};
    options.tenant_claim = "org";
    return options;
}

Timestamp at(std::int64_t seconds) {
    return from_millis(seconds * 1000);
}

// Claims whose signature nobody looks at here.
crypto::Jwt claims(const std::string& json) {
    auto jwt = crypto::Jwt::parse(crypto::base64url_encode(R"({"alg":"EdDSA"})") + "." +
                                  crypto::base64url_encode(json) + "." + crypto::base64url_encode("s"));
    EXPECT_TRUE(jwt) << json;
    return *std::move(jwt);
}
std::string with(const std::string& more) {
    return R"({"exp":1000,"aud":"stoker","sub":"alice")" + more + "}";
}

TokenIdentity judge(const std::string& json, const TokenIssuerOptions& options = issuer(), std::int64_t now = 900,
                    std::vector<TenantOptions> tenants = {}) {
    AuthOptions auth;
    auth.tenants = std::move(tenants);
    return judge_claims(claims(json), options, **Keyring::build(auth, {}), at(now));
}

TEST(TokenClaims, FaultsInTheOrderOfTheChecks) {
    const std::string good = with(R"(,"org":"acme")");
    EXPECT_EQ(judge(good).fault, TokenFault::None);
    EXPECT_EQ(judge(R"({"aud":"stoker","sub":"a","org":"b"})").fault, TokenFault::NoExpiry);
    EXPECT_EQ(judge(R"({"exp":"soon","aud":"stoker","sub":"a","org":"b"})").fault, TokenFault::NoExpiry);
    EXPECT_EQ(judge(good, issuer(), 1059).fault, TokenFault::None) << "clocks differ";
    EXPECT_EQ(judge(good, issuer(), 1060).fault, TokenFault::Expired);
    EXPECT_EQ(judge(with(R"(,"org":"acme","nbf":961)")).fault, TokenFault::NotYetValid);
    EXPECT_EQ(judge(with(R"(,"org":"acme","nbf":960)")).fault, TokenFault::None);
    EXPECT_EQ(judge(with(R"(,"org":"acme","nbf":"x")")).fault, TokenFault::NotYetValid);
    EXPECT_EQ(judge(R"({"exp":1e300,"aud":["a","stoker"],"sub":"a","org":"b"})").fault, TokenFault::None);
    EXPECT_EQ(judge(R"({"exp":-1e300,"aud":"stoker","sub":"a","org":"b"})").fault, TokenFault::Expired);
    EXPECT_EQ(judge(R"({"exp":1000,"aud":["a"],"sub":"a","org":"b"})").fault, TokenFault::WrongAudience);
    EXPECT_EQ(judge(R"({"exp":1000,"sub":"a","org":"b"})").fault, TokenFault::WrongAudience);
    EXPECT_EQ(judge(R"({"exp":1000,"aud":"stoker","org":"b"})").fault, TokenFault::NoSubject);
    EXPECT_EQ(judge(with("")).fault, TokenFault::NoTenant);
    EXPECT_EQ(judge(good, issuer(), 900, {{.name = "beta"}}).fault, TokenFault::UnknownTenant);
}

TEST(TokenClaims, WhoseItIs) {
    TokenIssuerOptions options = issuer();
    const auto tenant = [&](const std::string& more) {
        const auto judged = judge(with(more), options);
        return judged.identity ? judged.identity->tenant : std::string(to_string(judged.fault));
    };
    EXPECT_EQ(tenant(R"(,"org":"acme")"), "acme");
    EXPECT_EQ(tenant(R"(,"org":["acme"])"), "acme");
    EXPECT_EQ(tenant(R"(,"org":["acme","beta"])"), "no_tenant") << "which of them?";
    EXPECT_EQ(tenant(R"(,"org":"a/b")"), "no_tenant");
    EXPECT_EQ(tenant(R"(,"org":7)"), "no_tenant");
    options.tenant = "guests";
    EXPECT_EQ(tenant(""), "guests");
    EXPECT_EQ(tenant(R"(,"org":7)"), "no_tenant") << "what is there must be right";
    options.tenants = {{"/staff/ml", "research"}, {"/staff", "other"}};
    EXPECT_EQ(tenant(R"(,"org":["/x","/staff/ml","/staff"])"), "research");
    EXPECT_EQ(tenant(R"(,"org":"research")"), "no_tenant") << "only what is in the map";
}

TEST(TokenClaims, WhatItMayDo) {
    TokenIssuerOptions options = issuer();
    options.models_claim = "llm.models";
    options.priority_claim = "class";
    options.metadata_claims = {{"team", "department"}, {"none", "nothing"}};
    const std::vector<TenantOptions> tenants = {
        {.name = "acme", .priority = Priority::Low, .models = {"m-*"}, .metadata = {{"team", "t"}, {"x", "y"}}}};
    const auto full = judge(with(R"(,"org":"acme","llm":{"models":"m-1 other"},"class":"high","department":"search")"),
                            options, 900, tenants);
    ASSERT_EQ(full.fault, TokenFault::None);
    EXPECT_TRUE(full.identity->models.allow("m-1"));
    EXPECT_FALSE(full.identity->models.allow("m-2"));
    EXPECT_FALSE(full.identity->models.allow("other")) << "the tenant may not";
    EXPECT_EQ(full.identity->priority, Priority::High);
    EXPECT_THAT(full.identity->metadata,
                testing::UnorderedElementsAre(testing::Pair("team", "search"), testing::Pair("x", "y")));
    EXPECT_EQ(full.identity->key_id, "sub:alice");
    EXPECT_TRUE(full.identity->tenant_is_label);
    const auto bare = judge(with(R"(,"org":"acme","class":"urgent")"), options, 900, tenants);
    ASSERT_EQ(bare.fault, TokenFault::None);
    EXPECT_FALSE(bare.identity->models.allow("m-1")) << "the claim is asked for, and not there";
    EXPECT_EQ(bare.identity->priority, Priority::Low);
}

TEST(TokenVerifier, ChecksOnceAndForgetsAtTheEnd) {
    const TokenVerifier verifier({issuer()}, {{"https://id.example", key_set(jwk("one", kKeyOne))}},
                                 *Keyring::build({}, {}));
    EXPECT_FALSE(verifier.known(kTokenOne, at(900)));
    EXPECT_EQ(verifier.check(kTokenOne, at(900)).fault, TokenFault::None);
    EXPECT_EQ(verifier.known(kTokenOne, at(900))->tenant, "acme");
    EXPECT_TRUE(verifier.known(kTokenOne, at(kExpiry + 59)));
    EXPECT_FALSE(verifier.known(kTokenOne, at(kExpiry + 60)));
    EXPECT_EQ(verifier.check(kTokenOne, at(kExpiry + 60)).fault, TokenFault::Expired);
    EXPECT_EQ(verifier.check(kTokenTwo, at(900)).fault, TokenFault::UnknownKey);
    std::string forged = kTokenOne;
    forged[forged.size() - 40] = forged[forged.size() - 40] == 'A' ? 'B' : 'A';
    EXPECT_EQ(verifier.check(forged, at(900)).fault, TokenFault::BadSignature);
    EXPECT_FALSE(verifier.known(forged, at(900)));
    EXPECT_EQ(verifier.check("eyJ.e.e", at(900)).fault, TokenFault::Malformed);
    const TokenVerifier none({issuer()}, {}, *Keyring::build({}, {}));
    EXPECT_EQ(none.check(kTokenOne, at(900)).fault, TokenFault::NoKeys);
    EXPECT_EQ(TokenVerifier().check(kTokenOne, at(900)).fault, TokenFault::UnknownIssuer);
}

TEST(TokenCache, IsBoundedAndKeepsWhatIsUsed) {
    TokenCache cache;
    const auto digest = [](std::size_t i) { return crypto::sha256(std::to_string(i)); };
    cache.put(digest(0), anonymous(), at(10));
    for (std::size_t i = 1; i < TokenCache::kMost * 4; ++i) {
        cache.put(digest(i), anonymous(), at(10));
        if (i % 100 == 0) {
            EXPECT_TRUE(cache.find(digest(0), at(9)));
        }
    }
    EXPECT_LE(cache.size_for_test(), TokenCache::kMost);
    EXPECT_FALSE(cache.find(digest(1), at(9)));
    EXPECT_FALSE(cache.find(digest(0), at(10)));
}

TEST(TokenDemand, AsksNotTooOften) {
    TokenDemand demand;
    demand.follow({"a"});
    SteadyTime now = std::chrono::steady_clock::now();
    EXPECT_FALSE(demand.want("b", now));
    const auto ticket = demand.want("a", now);
    ASSERT_TRUE(ticket);
    EXPECT_THAT(demand.take(), testing::ElementsAre("a"));
    EXPECT_TRUE(demand.take().empty());
    EXPECT_FALSE(demand.answered("a", *ticket));
    demand.fetched("a", now);
    EXPECT_TRUE(demand.answered("a", *ticket));
    demand.leave();
    EXPECT_FALSE(demand.want("a", now + TokenDemand::kPause - 1ms));
    now += TokenDemand::kPause;
    for (int i = 0; i < TokenDemand::kMostWaiting; ++i) EXPECT_TRUE(demand.want("a", now));
    EXPECT_FALSE(demand.want("a", now)) << "enough wait";
    demand.follow({});
    EXPECT_TRUE(demand.answered("a", 0)) << "nobody will answer that";
}

class TokenAuthTest : public testing::Test {
protected:
    TokenAuthTest() {
        auth_.required = true;
        auth_.issuers = {issuer()};
        EXPECT_TRUE(rig_.gateway().apply_auth(auth_));
    }
    void take(const std::string& jwks) { rig_.gateway().set_issuer_keys("https://id.example", key_set(jwks)); }
    Reply ask(const std::string& token) {
        return rig_.ask({.body = kWhole, .headers = {{"authorization", "Bearer " + token}}});
    }

    Rig rig_{1};
    AuthOptions auth_;
};

TEST_F(TokenAuthTest, ATokenIsGoodAsAKeyAndGoesNoFurther) {
    take(jwk("one", kKeyOne));
    EXPECT_EQ(ask(kTokenOne).status, 200);
    EXPECT_EQ(ask(kTokenOne).status, 200);
    EXPECT_FALSE(rig_.upstream(0).last_headers().get("authorization"));
    const auto records = rig_.records(2);
    EXPECT_EQ(records[1].tenant, "acme");
    EXPECT_EQ(records[1].key_id, "sub:alice");
}

TEST_F(TokenAuthTest, WithoutTheIssuersKeysNobodyIsToBlame) {
    auto waiting = rig_.begin({.body = kWhole, .headers = {{"authorization", "Bearer " + kTokenOne}}});
    EXPECT_TRUE(eventually([this] { return !rig_.gateway().take_wanted_issuers().empty(); }));
    rig_.gateway().set_issuer_keys("https://id.example", nullptr);
    const Reply reply = waiting.get();
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.code(), "token_keys_unavailable");
    EXPECT_NE(reply.header("retry-after"), "");
}

TEST_F(TokenAuthTest, ANewSigningKeyIsFetchedWhileTheRequestWaits) {
    take(jwk("one", kKeyOne));
    EXPECT_TRUE(eventually([this] {
        auto reply = rig_.begin({.body = kWhole, .headers = {{"authorization", "Bearer " + kTokenTwo}}});
        const bool wanted = eventually([this] { return !rig_.gateway().take_wanted_issuers().empty(); }, Duration{500});
        if (wanted) take(jwk("one", kKeyOne) + "," + jwk("two", kKeyTwo));
        return reply.get().status == 200 && wanted;
    }));
    EXPECT_EQ(ask(kTokenOne).status, 200);
    take(jwk("two", kKeyTwo));
    EXPECT_EQ(ask(kTokenOne).code(), "invalid_token") << "withdrawn, though it was found good before";
}

TEST_F(TokenAuthTest, GuessersAreNotWorthASignature) {
    take(jwk("one", kKeyOne));
    std::string forged = kTokenOne;
    forged[forged.size() - 40] = forged[forged.size() - 40] == 'A' ? 'B' : 'A';
    EXPECT_EQ(ask(kTokenOne).status, 200);
    for (int i = 0; i < AuthFailures::kBurst; ++i) EXPECT_EQ(ask(forged).code(), "invalid_token");
    EXPECT_EQ(ask(forged).code(), "too_many_failed_attempts");
    EXPECT_EQ(ask(kTokenOne).status, 200) << "known already";
}

TEST_F(TokenAuthTest, WhereNoneIsAskedForOthersTokensPass) {
    auth_.required = false;
    auth_.issuers[0].issuer = "https://other.example";
    EXPECT_TRUE(rig_.gateway().apply_auth(auth_));
    EXPECT_EQ(ask(kTokenOne).status, 200);
    EXPECT_EQ(rig_.upstream(0).last_headers().get("authorization"), "Bearer " + kTokenOne);
    auth_.required = true;
    EXPECT_TRUE(rig_.gateway().apply_auth(auth_));
    EXPECT_EQ(ask(kTokenOne).code(), "invalid_token");
}

}  // namespace
}  // namespace stoker::gateway::test
