// Tokens signed by another implementation (Node's crypto), and everything that must not pass for one.
#include "crypto/jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/base64url.h"

namespace stoker::crypto {
namespace {

using testing::ElementsAre;
using testing::Optional;

constexpr char kKeys[] =
    R"({"keys":[{"kty":"RSA","n":"pfLbyednXa0xgndHAZ9y9uSeofp3c8xzTz7o09sGEikFHzHWEylQKigL0BlyN0dU3T1kH)"
    R"(OonIjDQC6gbq93zJ356DhQO5qeFncTmcgChuTAxr8mAwUi-56IZ9TQDRvUijfpxq1ofsg9YWkYXpw5fJ1PD-hpOlNrQRngF3)"
    R"(wqwYLInpipYo17Rp6MqlTAnFLPXTgFRZ1J2NYBtZHY_MLt1kOMwN6PHpN6IPThaw-MsnX3uYn1kpuwwhFrP1iuzdgD8o7RcZ)"
    R"(kzjZkmkvAA17vDVllIXLe_C4DQymdBc5avGjrpp8sQqsHaTJXJ5FSF221sdIDcj8M6eOPIHKKp2sGNQJw","e":"AQAB","k)"
    R"(id":"rs256","use":"sig","alg":"RS256"},{"kty":"EC","x":"hR4GEoAuoTFb3ppur9qPvwkJB09vqbWPI_aFU8x9)"
    R"(kBY","y":"_S4NwbB0b0lUmlvhScqFnuB9lGcNPPpVwi3aPZkBpds","crv":"P-256","kid":"es256","use":"sig",")"
    R"(alg":"ES256"},{"crv":"Ed25519","x":"EtLSOWbJwITVVB9Cw19NWNFE_5oG7QFKWNPVFGXAxr0","kty":"OKP","ki)"
    R"(d":"eddsa","use":"sig","alg":"EdDSA"}]})";
const std::string kTokens[] = {
    R"(eyJhbGciOiJSUzI1NiIsImtpZCI6InJzMjU2IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJh)"
    R"(dWQiOlsic3Rva2VyIiwib3RoZXIiXSwiZXhwIjoyMDAwMDAwMDAwLjksInNjb3BlIjoiYSBiIiwiaHR0cHM6Ly94LnkvdGVu)"
    R"(YW50IjoiYWNtZSIsInJlYWxtX2FjY2VzcyI6eyJyb2xlcyI6WyJyMSIsInIyIl19fQ.TOwsLATf6jYIU_FqQm4UaTPtSki50)"
    R"(S1mu0YiyOdbtQmMlGT3Jw19x0qjjyBstFDCUezT4YfkWs2tSdY3lJZfHDBwH1lNpJHUeGI74yYueF0UpQUk8ckezG4fWE5gK)"
    R"(0oa2KwX0wT7hRt_yHwBesmn2TdrQd5y7u-2zmh5D7B4Gb9uNY7OhWD2r1izoZkQILiANkFhJj1SSSgE2sdGLXtQ5UF4YxOzM)"
    R"(Jo4J7FElOtTA7CjIhbFZ-qaAH17TYOxWix6z8jfcetEqCOUh1dVlDs322k1tisqZF6-kokSNzxUYOQIfW94lv2BkSbk79NVy)"
    R"(08TULfTrkZmAJA6SyT51UCrig)",
    R"(eyJhbGciOiJFUzI1NiIsImtpZCI6ImVzMjU2IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJh)"
    R"(dWQiOlsic3Rva2VyIiwib3RoZXIiXSwiZXhwIjoyMDAwMDAwMDAwLjksInNjb3BlIjoiYSBiIiwiaHR0cHM6Ly94LnkvdGVu)"
    R"(YW50IjoiYWNtZSIsInJlYWxtX2FjY2VzcyI6eyJyb2xlcyI6WyJyMSIsInIyIl19fQ.HIpfAO-4Bt_wkj99Sx76h9Fy4ttMX)"
    R"(ADLjY3IFA1qIWb3E4Kl-q8TIL12esvJ8XHyzkXxUq_ZK9r0aGz_Ako-NA)",
    R"(eyJhbGciOiJFZERTQSIsImtpZCI6ImVkZHNhIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJh)"
    R"(dWQiOlsic3Rva2VyIiwib3RoZXIiXSwiZXhwIjoyMDAwMDAwMDAwLjksInNjb3BlIjoiYSBiIiwiaHR0cHM6Ly94LnkvdGVu)"
    R"(YW50IjoiYWNtZSIsInJlYWxtX2FjY2VzcyI6eyJyb2xlcyI6WyJyMSIsInIyIl19fQ.ivi3ngvjk78hSaYohBWgRxcKUrRVw)"
    R"(muI0R7TbkSXw_hjIMr_b_Ky5Zg-dzQ2BHidhSstB1l5NJ61LsfhqF2EBw)"};

KeySet keys() {
    auto set = KeySet::parse(kKeys);
    EXPECT_TRUE(set) << set.error().message;
    return *std::move(set);
}

// HEADER.CLAIMS.SIGNATURE of JSON texts and any signature.
std::string token(const std::string& header, const std::string& claims, const std::string& signature = "s") {
    return base64url_encode(header) + "." + base64url_encode(claims) + "." + base64url_encode(signature);
}

TEST(Base64Url, HasOneTextForEachValue) {
    for (const char* text : {"", "Zg", "Zm8", "Zm9v", "Zm9vYg", "-_-_"}) {
        const auto bytes = base64url_decode(text);
        ASSERT_TRUE(bytes) << text;
        EXPECT_EQ(base64url_encode(*bytes), text);
    }
    for (const char* text : {"Z", "Zg==", "Zh", "Zm9=", "Zm 9", "+/+/", "Zm9vY"})
        EXPECT_FALSE(base64url_decode(text)) << text;
}

TEST(Jwt, SignedByEachAlgorithm) {
    const KeySet set = keys();
    EXPECT_EQ(set.size(), 3);
    for (const std::string& text : kTokens) {
        EXPECT_TRUE(looks_like_jwt(text));
        const auto jwt = Jwt::parse(text);
        ASSERT_TRUE(jwt) << jwt.error().message;
        EXPECT_TRUE(jwt->is_signed_by(set)) << to_string(jwt->algorithm());
    }
}

TEST(Jwt, NoOtherBitPasses) {
    const KeySet set = keys();
    for (const std::string& text : kTokens) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            std::string changed = text;
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            const auto jwt = Jwt::parse(changed);
            EXPECT_FALSE(jwt && jwt->is_signed_by(set)) << i;
        }
    }
}

TEST(Jwt, AKeyIsForOneAlgorithm) {
    const KeySet set = keys();
    const auto rs256 = Jwt::parse(kTokens[0]);
    ASSERT_TRUE(rs256);
    EXPECT_TRUE(set.knows(SignatureAlgorithm::Rs256, "rs256"));
    EXPECT_FALSE(set.knows(SignatureAlgorithm::Es256, "rs256"));
    EXPECT_FALSE(set.knows(SignatureAlgorithm::Rs256, "another"));
    EXPECT_TRUE(set.knows(SignatureAlgorithm::EdDsa, ""));
}

TEST(Jwt, Claims) {
    const auto jwt = Jwt::parse(kTokens[1]);
    ASSERT_TRUE(jwt);
    EXPECT_THAT(jwt->text("iss"), Optional(std::string("https://id.example")));
    EXPECT_THAT(jwt->texts("aud"), Optional(ElementsAre("stoker", "other")));
    EXPECT_THAT(jwt->texts("scope"), Optional(ElementsAre("a b")));
    EXPECT_THAT(jwt->texts("scope", true), Optional(ElementsAre("a", "b")));
    EXPECT_THAT(jwt->texts("realm_access.roles"), Optional(ElementsAre("r1", "r2")));
    EXPECT_THAT(jwt->text("https://x.y/tenant"), Optional(std::string("acme")));
    EXPECT_THAT(jwt->seconds("exp"), Optional(2000000000));
    EXPECT_FALSE(jwt->text("exp") || jwt->seconds("iss") || jwt->has("nbf") || jwt->has("realm_access.none.x"));
}

TEST(Jwt, WhatIsNoTokenIsRefused) {
    const std::string bad[] = {"",
                               "a.b",
                               "a.b.c.d",
                               "..",
                               token(R"({"alg":"none"})", "{}"),
                               token(R"({"alg":"HS256"})", "{}"),
                               token(R"({"alg":"rs256"})", "{}"),
                               token(R"({"alg":5})", "{}"),
                               token("{}", "{}"),
                               token("[]", "{}"),
                               token(R"({"alg":"RS256","crit":["x"]})", "{}"),
                               token(R"({"alg":"RS256"})", "[]"),
                               token(R"({"alg":"RS256"})", "{}", ""),
                               token(R"({"alg":"RS256"})", "{}") + "=",
                               std::string(kMostTokenBytes + 1, 'a')};
    for (const std::string& text : bad) EXPECT_FALSE(Jwt::parse(text)) << text.substr(0, 80);
}

TEST(KeySet, RefusesKeysThatAreWeakOrNone) {
    for (const char* text :
         {"", "{}", R"({"keys":{}})", R"({"keys":[]})", R"({"keys":[7]})", R"({"keys":[{"kty":"oct","k":"AAAA"}]})",
          R"({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]})",
          R"({"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]})",
          R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]})"}) {
        EXPECT_FALSE(KeySet::parse(text)) << text;
    }
    const std::string nowhere = base64url_encode(std::string(32, '\1'));  // Not on the curve.
    EXPECT_FALSE(
        KeySet::parse(R"({"keys":[{"kty":"EC","crv":"P-256","x":")" + nowhere + R"(","y":")" + nowhere + R"("}]})"));
}

}  // namespace
}  // namespace stoker::crypto
