// Tokens of agents and the list of them, over restarts.
#include "app/agent_book.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/agent_services.h"
#include "base/id.h"

namespace stoker::app {
namespace {

constexpr Timestamp kStart = from_millis(1'790'000'000'000);
constexpr Duration kDay{24LL * 3600 * 1000};

class AgentBookTest : public testing::Test {
protected:
    AgentBookTest() {
        std::filesystem::create_directories(path_);
        open();
    }
    ~AgentBookTest() override {
        book_.reset();
        store_.reset();
        std::filesystem::remove_all(path_);
    }

    // As after a restart.
    void open() {
        book_.reset();
        store_.reset();
        store_ = *state::StateStore::open(path_ + "/state.sqlite");
        registry_ = std::make_unique<metrics::Registry>();
        book_ = *AgentBook::open(*store_, *registry_);
    }

    // "" if the request passes, else a part of why not.
    std::string send(const std::string& token, Timestamp at = kStart, const std::string& agent = "node-7",
                     bool needed = false) {
        const auto admitted = book_->admit(token.empty() ? "" : "Bearer " + token, agent, "stoker/1", 100, needed, at);
        return admitted ? "" : admitted.error().message;
    }

    const std::string path_ = std::filesystem::temp_directory_path() / ("stoker-agents-" + random_hex(8));
    std::unique_ptr<state::StateStore> store_;
    std::unique_ptr<metrics::Registry> registry_;
    std::unique_ptr<AgentBook> book_;
};

TEST_F(AgentBookTest, ATokenLivesUntilItEnds) {
    const auto made = book_->create("rack-12", kStart + kDay, kStart);
    ASSERT_TRUE(made);
    EXPECT_TRUE(made->secret.starts_with("sk-agent-" + made->token.id + "-"));
    EXPECT_EQ(send(made->secret), "");
    open();
    EXPECT_EQ(send(made->secret), "");
    EXPECT_NE(send(made->secret + "x").find("not known"), std::string::npos);
    EXPECT_NE(send("sk-agent-aaaaaaaa-bbbb").find("agents token create"), std::string::npos);
    EXPECT_NE(send(made->secret, kStart + kDay).find("expired"), std::string::npos);
    ASSERT_TRUE(book_->revoke(made->token.id, kStart));
    EXPECT_NE(send(made->secret).find("revoked"), std::string::npos);
    open();
    EXPECT_NE(send(made->secret).find("revoked"), std::string::npos);
    EXPECT_FALSE(book_->revoke("none", kStart));
}

TEST_F(AgentBookTest, OthersPassUnlessATokenIsNeeded) {
    EXPECT_EQ(send(""), "");
    EXPECT_EQ(send("a token of somebody else's"), "");
    EXPECT_NE(send("", kStart, "node-7", true).find("missing"), std::string::npos);
    EXPECT_NE(send("somebody else's", kStart, "node-7", true).find("missing"), std::string::npos);
}

TEST_F(AgentBookTest, AgentsAreListedAndForgotten) {
    const auto made = book_->create("rack-12", std::nullopt, kStart);
    ASSERT_TRUE(made);
    EXPECT_EQ(send(made->secret), "");
    EXPECT_EQ(send("", kStart + Duration{5'000}, ""), "");  // Not an agent: no name.
    EXPECT_EQ(send(made->secret, kStart + Duration{9'000}), "");
    ASSERT_EQ(book_->agents().size(), 1u);
    EXPECT_EQ(book_->agents()[0].token, made->token.id);
    EXPECT_EQ(book_->agents()[0].requests, 2u);
    EXPECT_EQ(book_->agents()[0].bytes, 200u);
    ASSERT_TRUE(book_->save());
    open();
    ASSERT_EQ(book_->agents().size(), 1u);
    EXPECT_EQ(book_->agents()[0].last_seen, kStart + Duration{9'000});
    EXPECT_EQ(book_->tokens()[0].last_used, kStart + Duration{9'000});
    // An agent that was silent all along is an alert all the same.
    EXPECT_NE(registry_->text().find("stoker_agent_last_seen_timestamp_seconds{agent=\"node-7\"} 1.790000009e+09"),
              std::string::npos)
        << registry_->text();
    ASSERT_TRUE(book_->forget("node-7"));
    EXPECT_FALSE(book_->forget("node-7"));
    EXPECT_EQ(registry_->text().find("agent=\"node-7\""), std::string::npos);
    open();
    EXPECT_TRUE(book_->agents().empty());
}

TEST_F(AgentBookTest, NamesAreChecked) {
    for (const std::string& name : {std::string(), std::string("a b"), std::string(200, 'a'), std::string("a\n")}) {
        EXPECT_FALSE(book_->create(name, std::nullopt, kStart)) << name;
    }
    EXPECT_FALSE(book_->create("a", kStart, kStart));
}

TEST_F(AgentBookTest, EndpointsAreBehindTokens) {
    std::size_t received = 0;
    const auto receive = [&received](const collect::PushRequest&) {
        ++received;
        return net::Response{204, {}, ""};
    };
    const auto made = book_->create("rack-12", std::nullopt, kStart);
    ASSERT_TRUE(made);
    const auto endpoints = behind_tokens(
        {{"/api/v1/write", 503, receive}, {.path = "/r", .receive = receive, .query = true}}, *book_, true);
    collect::PushRequest request;
    request.now = kStart;
    EXPECT_EQ(endpoints[0].receive(request).status, 401);
    EXPECT_EQ(endpoints[1].receive(request).status, 204);  // Reading is not pushing.
    request.headers.add("Authorization", "Bearer " + made->secret);
    EXPECT_EQ(endpoints[0].receive(request).status, 204);
    EXPECT_EQ(received, 2u);
}

TEST_F(AgentBookTest, SpeaksJson) {
    const auto services = agent_services(*book_);
    EXPECT_FALSE(services.create_token("{}"));
    EXPECT_FALSE(services.create_token("no"));
    EXPECT_FALSE(services.create_token(R"({"name":"a","expires_ms":"soon"})"));
    const auto made = services.create_token(R"({"name":"rack-12","expires_ms":null})");
    ASSERT_TRUE(made);
    const auto answer = nlohmann::json::parse(*made);
    EXPECT_EQ(send(answer["secret"]), "");
    EXPECT_EQ(nlohmann::json::parse(services.list())["agents"][0]["state"], "silent");  // Seen long ago.
    EXPECT_TRUE(services.revoke_token(answer["token"]["id"]));
    EXPECT_EQ(nlohmann::json::parse(services.tokens())["tokens"][0]["state"], "revoked");
    EXPECT_EQ(services.tokens().find("hash"), std::string::npos);
    EXPECT_TRUE(services.forget("node-7"));
}

}  // namespace
}  // namespace stoker::app
