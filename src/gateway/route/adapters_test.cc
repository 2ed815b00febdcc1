// Requests for LoRA adapters go to replicas that have them.
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using testing::HasSubstr;
using testing::Not;

Ask for_model(const std::string& model) {
    return {.body = R"({"model":")" + model + R"(","messages":[{"role":"user","content":"hi"}]})"};
}

// As if the engine had listed them. Its own first list, which has none, must have come before.
void has(Rig& rig, std::size_t replica, std::vector<std::string> adapters) {
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
