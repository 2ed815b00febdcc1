// What is asked of a token endpoint, and what its answers mean.
#include "collect/discovery/oauth2_token.h"

#include <gtest/gtest.h>

#include "crypto/hmac.h"

namespace stoker::collect {
namespace {

OAuth2Config config() {
    OAuth2Config made;
    made.client_id = "me & you";
    made.scopes = {"read", "write"};
    made.endpoint_params = {{"audience", "https://x"}};
    return made;
}

TEST(OAuth2Token, RequestsAreForms) {
    const OAuth2Request header = oauth2_request(config(), "s:1", OAuth2Style::Header);
    EXPECT_EQ(header.body, "audience=https%3A%2F%2Fx&grant_type=client_credentials&scope=read%20write");
    EXPECT_EQ(header.headers.get("authorization"), "Basic " + crypto::base64_encode("me%20%26%20you:s%3A1"));
    EXPECT_EQ(header.headers.get("content-type"), "application/x-www-form-urlencoded");
    const OAuth2Request body = oauth2_request(config(), "s:1", OAuth2Style::Body);
    EXPECT_EQ(body.body,
              "audience=https%3A%2F%2Fx&client_id=me%20%26%20you&client_secret=s%3A1&grant_type=client_credentials"
              "&scope=read%20write");
    EXPECT_FALSE(body.headers.get("authorization"));
}

TEST(OAuth2Token, AParameterMayReplaceTheGrantType) {
    OAuth2Config odd = config();
    odd.endpoint_params = {{"grant_type", "other"}};
    odd.scopes.clear();
    EXPECT_EQ(oauth2_request(odd, "", OAuth2Style::Body).body, "client_id=me%20%26%20you&grant_type=other");
}

TEST(OAuth2Token, Answers) {
    const auto seconds = [](const char* body) {
        const auto token = oauth2_token(200, body);
        return token ? token->authorization + " " + std::to_string(token->good_for.count() / 1000)
                     : token.error().message;
    };
    EXPECT_EQ(seconds(R"({"access_token":"t","token_type":"bearer","expires_in":3600})"), "Bearer t 3600");
    EXPECT_EQ(seconds(R"({"access_token":"t","expires_in":"60"})"), "Bearer t 60");
    EXPECT_EQ(seconds(R"({"access_token":"t","token_type":"MAC"})"), "MAC t 0");
    EXPECT_EQ(seconds(R"({"access_token":"t","expires_in":-5})"), "Bearer t 0");
    EXPECT_EQ(seconds(R"({"access_token":"t","expires_in":1e300})"), "Bearer t 315360000");
    EXPECT_EQ(seconds(R"({"access_token":7})"), "the answer has no access_token");
    EXPECT_EQ(seconds(R"({"error":"invalid_scope"})"), "the answer has no access_token: invalid_scope");
    EXPECT_EQ(seconds("<html>"), "the answer is not JSON with a token");
}

TEST(OAuth2Token, ErrorsSayWhatTheEndpointSaid) {
    const auto refused = oauth2_token(401, R"({"error":"invalid_client","error_description":"no such client"})");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::PermissionDenied);
    EXPECT_EQ(refused.error().message, "HTTP status 401: invalid_client: no such client");
    const auto down = oauth2_token(503, std::string(1000, 'x'));
    ASSERT_FALSE(down);
    EXPECT_EQ(down.error().code, Errc::Unavailable);
    EXPECT_EQ(down.error().message, "HTTP status 503: " + std::string(200, 'x'));
}

}  // namespace
}  // namespace stoker::collect
