// Requests through a real gateway: what the client sees, what the replica sees, and what is remembered.
#include "gateway/gateway.h"

#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(Gateway, StreamsTheEnginesEventsAndTellsTheTokens) {
    Rig rig(1);
    const Reply reply = rig.ask();
    EXPECT_EQ(reply.status, 200);
    EXPECT_TRUE(reply.clean);
    EXPECT_TRUE(reply.has("t0") && reply.has("t2") && reply.has("[DONE]"));
    EXPECT_FALSE(reply.has("usage")) << "the client did not ask for usage";
    EXPECT_THAT(reply.header("content-type"), StartsWith("text/event-stream"));
    EXPECT_EQ(reply.header("x-stoker-replica"), "chat/" + rig.upstream(0).address());
    EXPECT_EQ(reply.header("x-stoker-attempts"), "1");

    EXPECT_EQ(rig.upstream(0).last_body(), R"({"stream_options":{"include_usage":true},"model":"engine-name",)"
                                           R"("stream":true,"messages":[{"role":"user","content":"hi"}]})");
    const auto record = rig.records(1)[0];
    EXPECT_EQ(record.id, reply.header("x-request-id"));
    EXPECT_EQ(record.outcome, "ok");
    EXPECT_EQ(record.prompt_tokens, 10);
    EXPECT_EQ(record.completion_tokens, 3);
    EXPECT_EQ(record.cached_tokens, 4);
    EXPECT_EQ(record.usage_source, records::UsageSource::Engine);
    EXPECT_EQ(record.finish_reason, "stop");
    EXPECT_EQ(record.events, 3);
    EXPECT_GT(record.ttft_ns, 0);
    EXPECT_EQ(record.response_bytes, static_cast<std::int64_t>(reply.body.size()));
    const std::string metrics = rig.registry().text();
    EXPECT_THAT(metrics, HasSubstr(R"(llm_requests_total{pool="chat",model="tiny",code="200",outcome="ok"} 1)"));
    EXPECT_THAT(metrics, HasSubstr(R"(type="completion",source="engine"} 3)"));
}

TEST(Gateway, UsageThatTheClientAskedForIsPassedOn) {
    Rig rig(1);
    const Reply reply = rig.ask({.body = R"({"model":"tiny","stream":true,"stream_options":{"include_usage":true}})"});
    EXPECT_TRUE(reply.has(R"("choices":[],"usage":{"prompt_tokens":10)"));
    EXPECT_EQ(rig.upstream(0).last_body(),
              R"({"model":"engine-name","stream":true,"stream_options":{"include_usage":true}})");
}

TEST(Gateway, UsageIsEstimatedAndMarkedIfTheEngineGivesNone) {
    Rig rig(1);
    rig.upstream(0).play({.act = Act::NoUsage, .events = 5});
    EXPECT_TRUE(rig.ask().clean);
    const auto record = rig.records(1)[0];
    EXPECT_EQ(record.completion_tokens, 5);
    EXPECT_EQ(record.usage_source, records::UsageSource::Estimated);
}

TEST(Gateway, WholeAnswersKeepTheirBytes) {
    Rig rig(1);
    const Reply reply = rig.ask({.body = kWhole});
    EXPECT_EQ(reply.status, 200);
    EXPECT_TRUE(reply.clean);
    EXPECT_THAT(reply.body, StartsWith(R"({"id":"c","choices":[)"));
    EXPECT_EQ(rig.upstream(0).last_body(), R"({"model":"engine-name","messages":[{"role":"user","content":"hi"}]})");
    const auto record = rig.records(1)[0];
    EXPECT_EQ(record.completion_tokens, 3);
    EXPECT_EQ(record.finish_reason, "stop");
    EXPECT_FALSE(record.stream);
}

TEST(Gateway, AnswersPastTheHoldAreStreamedAndStillCounted) {
    Rig rig(1);
    rig.upstream(0).play({.act = Act::Big, .events = 3'000'000});
    const Reply reply = rig.ask({.body = kWhole});
    EXPECT_TRUE(reply.clean);
    EXPECT_GT(reply.body.size(), 3'000'000u);
    EXPECT_EQ(rig.records(1)[0].completion_tokens, 7);
}

TEST(Gateway, LargePromptsGoUpUnchangedSaveForTheEdit) {
    Rig rig(1);
    const std::string prompt(5'000'000, 'p');
    rig.ask({.body = R"({"messages":[{"role":"user","content":")" + prompt + R"("}],"model":"tiny"})"});
    EXPECT_EQ(rig.upstream(0).last_body(),
              R"({"messages":[{"role":"user","content":")" + prompt + R"("}],"model":"engine-name"})");
}

TEST(Gateway, IdentityAndTraceGoThrough) {
    Rig rig(1);
    const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    Ask ask;
    ask.headers.add("X-Request-Id", "mine-1");
    ask.headers.add("traceparent", "00-" + trace + "-00f067aa0ba902b7-01");
    ask.headers.add("authorization", "Bearer client-key");
    ask.headers.add("accept-encoding", "gzip");
    EXPECT_EQ(rig.ask(ask).header("x-request-id"), "mine-1");
    const net::Headers seen = rig.upstream(0).last_headers();
    EXPECT_EQ(seen.get("x-request-id"), "mine-1");
    EXPECT_THAT(std::string(*seen.get("traceparent")), StartsWith("00-" + trace + "-"));
    EXPECT_THAT(std::string(*seen.get("traceparent")), Not(HasSubstr("00f067aa0ba902b7")));
    EXPECT_EQ(seen.get("authorization"), "Bearer client-key");
    EXPECT_FALSE(seen.get("accept-encoding"));
    EXPECT_EQ(rig.records(1)[0].trace_id, trace);
}

TEST(Gateway, AReplicasOwnKeyReplacesTheClients) {
    Rig rig(1, [](PoolOptions& pool) { pool.replicas[0].api_key = "secret"; });
    Ask ask;
    ask.headers.add("authorization", "Bearer client-key");
    rig.ask(ask);
    EXPECT_EQ(rig.upstream(0).last_headers().get("authorization"), "Bearer secret");
}

struct Refused {
    Ask ask;
    int status;
    std::string code;
    std::string message;
};

TEST(Gateway, BadRequestsGetAClearErrorAndReachNoReplica) {
    Rig rig(1, [](PoolOptions& pool) { pool.models = {"tiny", "tinier"}; }, {.max_body_bytes = 1000});
    const Refused cases[] = {
        {{.body = R"({"model":"tiny", "messages":[)"}, 400, "invalid_json", "byte 29"},
        {{.body = "not json"}, 400, "invalid_json", "line 1, column 1"},
        {{.body = R"({"messages":[]})"}, 400, "missing_model", "model"},
        {{.body = R"({"model":5})"}, 400, "invalid_request", "must be a string"},
        {{.body = R"({"model":"tyny"})"}, 404, "model_not_found", "tiny"},
        {{.body = std::string(2000, ' ')}, 413, "body_too_large", "1000 bytes"},
        {{.body = "", .method = "GET"}, 405, "method_not_allowed", "POST"},
        {{.body = "{}", .path = "/v1/nothing"}, 404, "unknown_path", "/v1/nothing"},
        {{.body = "", .path = "/v1/models/none", .method = "GET"}, 404, "model_not_found", "none"},
    };
    for (const Refused& bad : cases) {
        const Reply reply = rig.ask(bad.ask);
        EXPECT_EQ(reply.status, bad.status) << reply.body;
        EXPECT_EQ(reply.code(), bad.code) << reply.body;
        EXPECT_THAT(reply.body, HasSubstr(bad.message));
        EXPECT_NE(reply.header("x-request-id"), "");
    }
    EXPECT_EQ(rig.upstream(0).requests(), 0);
    for (const auto& record : rig.records(std::size(cases))) EXPECT_EQ(record.outcome, "client_error");
    EXPECT_THAT(rig.registry().text(), Not(HasSubstr("tyny"))) << "a client's word became a label";
}

TEST(Gateway, ListsTheModelsOfAllPools) {
    Rig rig(1, [](PoolOptions& pool) { pool.models = {"tiny", "a/b"}; });
    EXPECT_EQ(rig.ask({.body = "", .path = "/v1/models", .method = "GET"}).body,
              R"({"object":"list","data":[{"id":"a/b","object":"model","created":0,"owned_by":"stoker"},)"
              R"({"id":"tiny","object":"model","created":0,"owned_by":"stoker"}]})");
    EXPECT_THAT(rig.ask({.body = "", .path = "/v1/models/a/b", .method = "GET"}).body, StartsWith(R"({"id":"a/b")"));
}

// With the policy that goes by nothing else: the default also looks at how fast each was lately.
TEST(Gateway, TrafficIsSpreadByOutstandingRequests) {
    Rig rig(3, [](PoolOptions& pool) { pool.balance.kind = BalanceKind::LeastRequests; });
    for (int i = 0; i < 9; ++i) rig.ask();
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(rig.upstream(i).requests(), 3);
    for (std::size_t i : {0u, 1u, 2u}) rig.upstream(i).play({.act = Act::Stall, .times = 1});
    auto held = rig.begin({});  // Ties go round: after nine it is the first one's turn.
    ASSERT_TRUE(eventually([&] { return rig.upstream(0).requests() == 4; }));
    for (std::size_t i : {1u, 2u}) rig.upstream(i).play({});
    for (int i = 0; i < 6; ++i) rig.ask();
    EXPECT_EQ(rig.upstream(0).requests(), 4) << "it has work already";
}

TEST(Gateway, AReloadLeavesStreamsAloneAndNewRequestsFollowIt) {
    Rig rig(2);
    rig.upstream(0).play({.act = Act::Stall, .events = 1});
    rig.upstream(1).play({.act = Act::Stall, .events = 1});
    auto stream = rig.begin({});
    ASSERT_TRUE(eventually([&] { return rig.flowing() == 1; }));
    const std::size_t used = rig.upstream(0).requests() == 1 ? 0 : 1;
    rig.pool().replicas.erase(rig.pool().replicas.begin() + static_cast<std::ptrdiff_t>(used));
    ASSERT_TRUE(rig.apply());
    EXPECT_EQ(rig.gateway().statuses().size(), 1u);
    rig.upstream(1 - used).play({});
    EXPECT_EQ(rig.ask().header("x-stoker-replica"), "chat/" + rig.upstream(1 - used).address());
    EXPECT_EQ(stream.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout) << "still under way";
    rig.upstream(used).stop();
    EXPECT_EQ(stream.get().code(), "upstream_stream_cut");
}

TEST(Gateway, ABrokenReloadChangesNothing) {
    Rig rig(1);
    rig.routes().pools.push_back(rig.pool());
    EXPECT_FALSE(rig.apply());
    EXPECT_EQ(rig.ask().status, 200);
}

TEST(Gateway, EjectedAndDrainingReplicasGetNothing) {
    Rig rig(2);
    const std::string first = rig.status(0).id;
    ASSERT_TRUE(rig.gateway().eject(first, "maintenance"));
    for (int i = 0; i < 4; ++i) EXPECT_EQ(rig.ask().status, 200);
    EXPECT_EQ(rig.upstream(0).requests(), 0);
    EXPECT_EQ(rig.status(0).state, ReplicaState::Ejected);
    EXPECT_EQ(rig.status(0).reason, "maintenance");
    ASSERT_TRUE(rig.gateway().drain(rig.status(1).id, "new driver"));
    const Reply none = rig.ask();
    EXPECT_EQ(none.status, 503);
    EXPECT_EQ(none.code(), "no_replica_available");
    EXPECT_NE(none.header("retry-after"), "");
    EXPECT_EQ(rig.records(5).back().outcome, "rejected");
    ASSERT_TRUE(rig.gateway().readmit(first));
    EXPECT_EQ(rig.ask().status, 200);
    EXPECT_FALSE(rig.gateway().eject("chat/nowhere:1", ""));
    EXPECT_EQ(rig.events(3)[2].kind, ReplicaEvent::Kind::Readmitted);
}

TEST(Gateway, DrainingByAddressOutlastsTheProcess) {
    std::string kept;
    std::string address;
    {
        Rig rig(1);
        address = rig.upstream(0).address();
        rig.gateway().restore_drained("", [&kept](const std::string& json) { kept = json; });
        EXPECT_EQ(rig.gateway().drain("127.0.0.1:1", "").error().code, Errc::NotFound);
        const auto drained = rig.gateway().drain("http://" + address + "/v1", "new driver");
        ASSERT_TRUE(drained) << drained.error().message;
        EXPECT_EQ((*drained)[0].state, ReplicaState::Draining);
        EXPECT_EQ((*drained)[0].reason, "new driver");
        EXPECT_EQ(rig.ask().status, 503);
    }
    Rig rig(1);
    rig.pool().replicas[0].url = "http://" + address;
    rig.gateway().restore_drained(kept, [&kept](const std::string& json) { kept = json; });
    ASSERT_TRUE(rig.apply());
    EXPECT_EQ(rig.status(0).state, ReplicaState::Draining);
    EXPECT_EQ(rig.status(0).reason, "new driver");
    ASSERT_TRUE(rig.gateway().undrain(address));
    EXPECT_EQ(rig.status(0).state, ReplicaState::Serving);
    EXPECT_EQ(kept, R"({"drained":{},"version":1})");
}

}  // namespace
}  // namespace stoker::gateway::test
