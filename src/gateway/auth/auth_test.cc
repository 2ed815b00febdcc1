// Keys through the gateway: who passes, what they see, and that nothing of a key goes further.
#include "gateway/auth/auth_failures.h"
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using namespace std::chrono_literals;

class AuthTest : public testing::Test {
protected:
    AuthTest() {
        auth_.required = true;
        add(key_, "acme");
        EXPECT_TRUE(apply());
    }

    void add(const NewKey& key, const std::string& tenant) {
        KeyOptions& options = auth_.keys.emplace_back();
        options.id = key.id;
        options.tenant = tenant;
        options.hash = crypto::sha256(key.key);
    }
    Result<Unit> apply() { return rig_.gateway().apply_auth(auth_); }

    static Ask with(const std::string& key, const std::string& header = "authorization") {
        return {.body = kWhole, .headers = {{header, header == "authorization" ? "Bearer " + key : key}}};
    }
    Reply models(const std::string& key, const std::string& path = "/v1/models") {
        Ask ask = with(key);
        ask.path = path;
        ask.method = "GET";
        ask.body.clear();
        return rig_.ask(ask);
    }

    Rig rig_{1, [](PoolOptions& pool) { pool.models = {"tiny", "large"}; }};
    NewKey key_ = make_key();
    AuthOptions auth_;
};

TEST_F(AuthTest, AsksForAKey) {
    const Reply bare = rig_.ask({.body = kWhole});
    EXPECT_EQ(bare.status, 401);
    EXPECT_EQ(bare.code(), "missing_api_key");
    EXPECT_EQ(bare.header("www-authenticate"), R"(Bearer realm="stoker")");
    const Reply wrong = rig_.ask(with("sk-stoker-abc-def"));
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(wrong.code(), "invalid_api_key");
    EXPECT_EQ(wrong.header("www-authenticate"), R"(Bearer realm="stoker", error="invalid_token")");
    EXPECT_EQ(models("nothing").status, 401);
    EXPECT_EQ(rig_.upstream(0).requests(), 0);
    EXPECT_EQ(rig_.ask({.body = {}, .path = "/health", .method = "GET"}).status, 200) << "asks for none";
}

TEST_F(AuthTest, TakesTheKeyWhereSdksPutItAndPassesItToNobody) {
    for (const char* header : {"authorization", "Authorization", "x-api-key", "api-key"}) {
        Ask ask = with(key_.key, header);
        if (std::string(header) == "Authorization") ask.headers = {{"Authorization", "bearer  " + key_.key + " "}};
        ask.headers.add("x-other", "kept");
        EXPECT_EQ(rig_.ask(ask).status, 200) << header;
        for (const auto& [name, value] : rig_.upstream(0).last_headers()) {
            EXPECT_EQ(value.find(key_.key), std::string::npos) << name;
        }
        EXPECT_EQ(rig_.upstream(0).last_headers().get("x-other"), "kept");
    }
    const auto records = rig_.records(4);
    for (const auto& record : records) {
        EXPECT_EQ(record.tenant, "acme");
        EXPECT_EQ(record.key_id, key_.id);
        EXPECT_EQ(records::to_json(record).find(key_.key.substr(key_.key.size() - 43)), std::string::npos);
    }
}

TEST_F(AuthTest, ABadKeyIsOnNobodysRecord) {
    (void)rig_.ask(with("sk-stoker-" + key_.id + "-wrong"));
    const auto record = rig_.records(1)[0];
    EXPECT_EQ(record.error, "invalid_api_key");
    EXPECT_EQ(record.tenant + record.key_id, "");
}

TEST_F(AuthTest, RevokesForTheNextRequest) {
    EXPECT_EQ(rig_.ask(with(key_.key)).status, 200);
    auth_.keys[0].revoked = true;
    EXPECT_TRUE(apply());
    const Reply reply = rig_.ask(with(key_.key));
    EXPECT_EQ(reply.status, 401);
    EXPECT_EQ(reply.code(), "key_revoked");
    EXPECT_EQ(rig_.records(2)[1].key_id, key_.id) << "who has the secret is known";
}

TEST_F(AuthTest, AStreamUnderWayOutlivesItsKey) {
    std::atomic<bool> go{false};
    rig_.upstream(0).play({.events = 2, .until = [&go] { return go.load(); }});
    Ask ask = with(key_.key);
    ask.body = Ask{}.body;
    auto reply = rig_.begin(ask);
    EXPECT_TRUE(eventually([this] { return rig_.flowing() == 1; }));
    auth_.keys.clear();
    EXPECT_TRUE(apply());
    go = true;
    EXPECT_TRUE(reply.get().has("[DONE]"));
}

TEST_F(AuthTest, ShowsAndServesOnlyTheModelsThatAKeyMayUse) {
    auth_.keys[0].models = {"large"};
    EXPECT_TRUE(apply());
    const Reply refused = rig_.ask(with(key_.key));
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.code(), "model_not_allowed");
    Ask unknown = with(key_.key);
    unknown.body = R"({"model":"nothing"})";
    EXPECT_EQ(rig_.ask(unknown).code(), "model_not_allowed") << "as for a model that is there";
    Ask large = with(key_.key);
    large.body = R"({"model":"large"})";
    EXPECT_EQ(rig_.ask(large).status, 200);
    EXPECT_TRUE(models(key_.key).has(R"("large")"));
    EXPECT_FALSE(models(key_.key).has(R"("tiny")"));
    EXPECT_EQ(models(key_.key, "/v1/models/large").status, 200);
    EXPECT_EQ(models(key_.key, "/v1/models/tiny").code(), "model_not_allowed");
}

TEST_F(AuthTest, SuggestsNoModelsThatAKeyMayNotUse) {
    auth_.keys[0].models = {"larg*"};
    EXPECT_TRUE(apply());
    Ask ask = with(key_.key);
    ask.body = R"({"model":"largf"})";
    const Reply reply = rig_.ask(ask);
    EXPECT_EQ(reply.code(), "model_not_found");
    EXPECT_TRUE(reply.has("large"));
    EXPECT_FALSE(reply.has("tiny"));
}

TEST_F(AuthTest, WhereNoneIsAskedForAKeyStillSaysWhoAsks) {
    auth_.required = false;
    EXPECT_TRUE(apply());
    EXPECT_EQ(rig_.ask({.body = kWhole}).status, 200);
    EXPECT_EQ(rig_.ask(with("the-engines-own")).status, 200);
    EXPECT_EQ(rig_.upstream(0).last_headers().get("authorization"), "Bearer the-engines-own");
    EXPECT_EQ(rig_.ask(with(key_.key)).status, 200);
    EXPECT_FALSE(rig_.upstream(0).last_headers().get("authorization"));
    EXPECT_EQ(rig_.ask(with("sk-stoker-abc-def")).code(), "invalid_api_key");
    const auto records = rig_.records(4);
    EXPECT_EQ(records[1].tenant, "");
    EXPECT_EQ(records[2].tenant, "acme");
}

TEST_F(AuthTest, SlowsGuessersDownButNotGoodKeys) {
    for (int i = 0; i < AuthFailures::kBurst; ++i) EXPECT_EQ(rig_.ask(with("guess" + std::to_string(i))).status, 401);
    const Reply limited = rig_.ask(with("one-more"));
    EXPECT_EQ(limited.status, 429);
    EXPECT_EQ(limited.code(), "too_many_failed_attempts");
    EXPECT_NE(limited.header("retry-after"), "");
    EXPECT_EQ(rig_.ask(with(key_.key)).status, 200);
}

}  // namespace
}  // namespace stoker::gateway::test
