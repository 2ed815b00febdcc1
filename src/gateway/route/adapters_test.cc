// Requests for LoRA adapters go to replicas that have them.
#include <nlohmann/json.hpp>

#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using testing::HasSubstr;
using testing::Not;

Ask for_model(const std::string& model) {
    return {.body = R"({"model":")" + model + R"(","messages":[{"role":"user","content":"hi"}]})"};
}

// As if the engine had listed them. Its own first list, which has none, must have come before.
void has(Rig& rig, std::size_t replica, const std::vector<std::string>& names) {
    std::vector<LoraAdapter> adapters;
    for (const std::string& name : names) adapters.push_back({.name = name});
    ASSERT_TRUE(eventually([&] { return to_millis(rig.status(replica).health_at) != 0; }));
    rig.gateway().report_load("chat/" + rig.upstream(replica).address(),
                              {.load = {}, .knows_adapters = true, .adapters = std::move(adapters)});
}

std::string models(Rig& rig) {
    return rig.ask({.body = "", .path = "/v1/models", .method = "GET"}).body;
}

TEST(Adapters, AreAskedForByNameWhereTheyAreLoaded) {
    Rig rig(3);
    EXPECT_EQ(rig.ask(for_model("sql")).code(), "model_not_found");
    has(rig, 1, {"sql"});
    for (int i = 0; i < 6; ++i) EXPECT_EQ(rig.ask(for_model("sql")).status, 200);
    EXPECT_EQ(rig.upstream(1).requests(), 6);
    EXPECT_EQ(rig.upstream(1).last_body(), for_model("sql").body);  // Not the engine's name of the base model.
    const auto record = rig.records(7).back();
    EXPECT_EQ(record.model, "tiny");
    EXPECT_EQ(record.requested_model, "sql");
    for (int i = 0; i < 6; ++i) EXPECT_EQ(rig.ask(for_model("tiny")).status, 200);
    EXPECT_LT(rig.upstream(1).requests(), 12);
    EXPECT_THAT(rig.registry().text(), Not(HasSubstr("\"sql\"")));
}

TEST(Adapters, AreListedWithTheirModelAndComeAndGo) {
    Rig rig(2);
    has(rig, 0, {"code", "sql"});
    has(rig, 1, {"sql", "tiny"});
    const std::string listed = models(rig);
    EXPECT_THAT(listed, HasSubstr(R"({"id":"code","object":"model","created":0,"owned_by":"stoker","parent":"tiny"},)"
                                  R"({"id":"sql","object":"model","created":0,"owned_by":"stoker","parent":"tiny"})"));
    EXPECT_EQ(rig.ask({.body = "", .path = "/v1/models/sql", .method = "GET"}).status, 200);
    has(rig, 0, {});
    EXPECT_THAT(models(rig), Not(HasSubstr("code")));
    EXPECT_EQ(rig.ask(for_model("code")).code(), "model_not_found");
    EXPECT_EQ(rig.ask(for_model("sql")).status, 200);
}

TEST(Adapters, AreNotAskedForWhereTheyAreNot) {
    Rig rig(2);
    has(rig, 0, {"sql"});
    rig.upstream(0).stop();
    const Reply reply = rig.ask(for_model("sql"));
    EXPECT_GE(reply.status, 502);
    EXPECT_EQ(rig.upstream(1).requests(), 0);
    EXPECT_EQ(rig.ask(for_model("tiny")).status, 200);
}

// As llama.cpp's: one number each, and its model stays its own.
TEST(Adapters, AreAskedForByNumberWhereTheyHaveOne) {
    Rig rig(2);
    rig.routes().pools[0].replicas[1].model = "engine-name";
    ASSERT_TRUE(rig.apply());
    ASSERT_TRUE(eventually([&] { return to_millis(rig.status(1).health_at) != 0; }));
    rig.gateway().report_load("chat/" + rig.upstream(1).address(),
                              {.load = {}, .knows_adapters = true, .adapters = {{.name = "sql", .number = 3}}});
    EXPECT_EQ(rig.ask(for_model("sql")).status, 200);
    EXPECT_EQ(rig.upstream(1).last_body(),
              R"({"model":"engine-name","lora":[{"id":3,"scale":1}],"messages":[{"role":"user","content":"hi"}]})");
    Ask stream = for_model("sql");
    stream.body.insert(1, R"("stream":true,)");
    EXPECT_EQ(rig.ask(stream).status, 200);
    EXPECT_THAT(rig.upstream(1).last_body(), HasSubstr(R"("lora":[{"id":3,"scale":1}])"));
    EXPECT_THAT(rig.upstream(1).last_body(), HasSubstr(R"("include_usage":true)"));
    EXPECT_EQ(rig.upstream(0).requests(), 0);
}

// TGI lists none, and answers with its base model for what it has not.
TEST(Adapters, MayBeNamedByTheConfiguration) {
    Rig rig(2);
    rig.routes().pools[0].replicas[1].adapters = {"support"};
    ASSERT_TRUE(rig.apply());
    for (int i = 0; i < 6; ++i) EXPECT_EQ(rig.ask(for_model("support")).status, 200);
    EXPECT_EQ(rig.upstream(0).requests(), 0);
    EXPECT_EQ(rig.upstream(1).last_body(), for_model("support").body);
    EXPECT_THAT(models(rig), HasSubstr(R"("id":"support","object":"model","created":0,"owned_by":"stoker","parent")"));
    rig.routes().pools[0].replicas[1].adapters = {};
    ASSERT_TRUE(rig.apply());
    EXPECT_EQ(rig.ask(for_model("support")).code(), "model_not_found");
}

TEST(Adapters, AreExplained) {
    Rig rig(2);
    has(rig, 1, {"sql"});
    const auto explained = rig.gateway().explain_route(R"({"model":"sql"})");
    ASSERT_TRUE(explained);
    const auto answer = nlohmann::json::parse(*explained);
    EXPECT_EQ(answer["adapter"], "sql");
    EXPECT_EQ(answer["model"], "tiny");
    EXPECT_THAT(answer["why"].dump(), HasSubstr("LoRA adapter of tiny"));
    const auto& replicas = answer["steps"][0]["replicas"];
    EXPECT_EQ(replicas[0]["balance"]["excluded"], "lacks_adapter");
    EXPECT_EQ(replicas[1]["balance"]["has_adapter"], true);
    EXPECT_EQ(answer["steps"][0]["pick"]["replica"], "chat/" + rig.upstream(1).address());
    EXPECT_THAT(nlohmann::json::parse(*rig.gateway().explain_route(R"({"model":"nosuch"})"))["error"].dump(),
                HasSubstr("no replica has an adapter"));
}

TEST(Adapters, AnAliasMayLeadToOne) {
    Rig rig(2);
    rig.routes().routing.aliases.push_back({.name = "helper", .to = "sql"});
    ASSERT_TRUE(rig.apply());
    has(rig, 1, {"sql"});
    EXPECT_EQ(rig.ask(for_model("helper")).status, 200);
    EXPECT_EQ(rig.upstream(1).last_body(), for_model("sql").body);
}

}  // namespace
}  // namespace stoker::gateway::test
