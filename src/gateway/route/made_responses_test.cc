// Stored responses find their way back to the engine that made them.
#include "gateway/route/made_responses.h"

#include "gateway/rig_test.h"
#include "gateway/route/stored_response.h"

namespace stoker::gateway::test {
namespace {

using testing::HasSubstr;

TEST(MadeResponses, RemembersTheLastOnesOfEachTenant) {
    MadeResponses made(2);
    made.note("a", {"r1", "m", "acme"});
    made.note("b", {"r2", "m", ""});
    EXPECT_EQ(made.find("a", "acme")->replica, "r1");
    EXPECT_FALSE(made.find("a", "")) << "somebody else's";
    made.note("c", {"r3", "m", ""});
    EXPECT_FALSE(made.find("a", "acme")) << "the oldest";
    made.forget("b");
    EXPECT_FALSE(made.find("b", ""));
    EXPECT_EQ(made.find("c", "")->replica, "r3");
    made.note(std::string(MadeResponses::kLongestId + 1, 'x'), {});
    EXPECT_TRUE(made.find("c", ""));
}

TEST(StoredPath, IsOfOneResponse) {
    EXPECT_EQ(stored_path("/v1/responses/resp_1")->id, "resp_1");
    EXPECT_EQ(stored_path("/v1/responses/resp_1")->methods, "GET, DELETE");
    EXPECT_EQ(stored_path("/v1/responses/resp_1/cancel")->methods, "POST");
    EXPECT_EQ(stored_path("/v1/responses/resp_1/input_items")->methods, "GET");
    for (const char* path : {"/v1/responses", "/v1/responses/", "/v1/responses/a/b", "/v1/responses/a%2e", "/v1/x/a",
                             "/v1/responses/../x"}) {
        EXPECT_FALSE(stored_path(path)) << path;
    }
}

Script response(const std::string& id) {
    return {.act = Act::Status,
            .status = 200,
            .body = R"({"id":")" + id + R"(","object":"response","status":"completed"})"};
}

const std::string kAsk = R"({"model":"tiny","input":"hi"})";

TEST(StoredResponses, GoToTheReplicaThatMadeThem) {
    Rig rig(3);
    std::vector<std::string> makers;
    for (int i = 0; i < 6; ++i) {
        const std::string id = "resp_" + std::to_string(i);
        for (std::size_t j = 0; j < 3; ++j) rig.upstream(j).play(response(id));
        const Reply made = rig.ask({.body = kAsk, .path = "/v1/responses"});
        ASSERT_EQ(made.status, 200) << made.body;
        makers.push_back(made.header("x-stoker-replica"));
    }
    for (std::size_t j = 0; j < 3; ++j) {
        rig.upstream(j).play({.act = Act::Status, .status = 200, .body = R"({"of":")" + rig.status(j).id + "\"}"});
    }
    for (int i = 0; i < 6; ++i) {
        const std::string path = "/v1/responses/resp_" + std::to_string(i);
        const auto maker = HasSubstr(makers[static_cast<std::size_t>(i)]);
        EXPECT_THAT(rig.ask({.body = "", .path = path, .method = "GET"}).body, maker);
        EXPECT_THAT(rig.ask({.body = "", .path = path + "/input_items", .method = "GET"}).body, maker);
        EXPECT_THAT(rig.ask({.body = "", .path = path + "/cancel"}).body, maker);
        const std::string next = R"({"model":"tiny","previous_response_id":"resp_)" + std::to_string(i) + R"("})";
        EXPECT_THAT(rig.ask({.body = next, .path = "/v1/responses"}).body, maker) << "which goes on from it";
    }
    EXPECT_EQ(rig.ask({.body = "", .path = "/v1/responses/resp_0", .method = "PUT"}).status, 405);
    EXPECT_EQ(rig.ask({.body = "", .path = "/v1/responses/resp_0", .method = "DELETE"}).status, 200);
    const Reply gone = rig.ask({.body = "", .path = "/v1/responses/resp_0", .method = "GET"});
    EXPECT_EQ(gone.status, 404);
    EXPECT_EQ(gone.code(), "response_not_found");
}

TEST(StoredResponses, OfStreamsAreKnownFromTheirFirstEvent) {
    Rig rig(1);
    rig.upstream(0).play({.act = Act::Status,
                          .status = 200,
                          .body = "event: response.created\ndata: "
                                  "{\"type\":\"response.created\",\"response\":{\"id\":\"resp_s\"}}\n\n"
                                  "event: response.output_text.delta\ndata: "
                                  "{\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n"
                                  "event: response.completed\ndata: "
                                  "{\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n",
                          .content_type = "text/event-stream"});
    EXPECT_EQ(rig.ask({.body = R"({"model":"tiny","stream":true})", .path = "/v1/responses"}).status, 200);
    rig.upstream(0).play(response("resp_s"));
    const Reply shown = rig.ask({.body = "", .path = "/v1/responses/resp_s", .method = "GET"});
    EXPECT_EQ(shown.status, 200) << shown.body;
    const auto record = rig.records(2)[1];
    EXPECT_EQ(record.endpoint, "/v1/responses/resp_s");
    EXPECT_EQ(record.model, "tiny");
    EXPECT_EQ(record.replica, rig.status(0).id);
    rig.upstream(0).stop();
    EXPECT_EQ(rig.ask({.body = "", .path = "/v1/responses/resp_s", .method = "GET"}).code(), "upstream_unreachable");
}

}  // namespace
}  // namespace stoker::gateway::test
