// Where a request goes when its model can't serve it: by cause, across pools, and what the client sees of it.
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string kTooLong =
    R"({"error":{"message":"This model's maximum context length is 10 tokens.","code":"context_length_exceeded"}})";
const std::string kRefused = R"({"error":{"message":"filtered","code":"content_filter"}})";

void impatient(PoolOptions& pool) {
    pool.deadlines = {.connect = 500ms, .first_byte = 700ms, .between = 700ms, .total = 10s};
}

// `tiny` with one replica in pool chat, and `spare` with one replica in pool other, its upstream 1.
void add_spare(Rig& rig, FallbackCauses on) {
    rig.add_pool("other", "spare");
    rig.routes().models = {{.name = "tiny", .fallback = {{.to = "spare", .on = on}}}};
    EXPECT_TRUE(rig.apply());
}

struct Case {
    const char* what;
    Script script;
    FallbackCause cause;
};

// A key's models bound what it may ask for by name; who stands in is the operator's to say.
TEST(Fallback, AnswersThoseWhoMayNotAskForItUnlessToldOtherwise) {
    Rig rig(1);
    const NewKey key = make_key();
    AuthOptions auth;
    auth.required = true;
    auth.keys = {{.id = key.id, .tenant = "acme", .hash = crypto::sha256(key.key), .models = {"tiny"}}};
    ASSERT_TRUE(rig.gateway().apply_auth(auth));
    add_spare(rig, {FallbackCause::Down, FallbackCause::Overloaded});
    rig.upstream(0).play({.act = Act::Status, .status = 503});
    const auto ask = [&](const std::string& model) {
        return rig.ask({.body = R"({"model":")" + model + R"(","messages":[]})",
                        .headers = {{"authorization", "Bearer " + key.key}}});
    };
    EXPECT_EQ(ask("spare").code(), "model_not_allowed");
    const Reply reply = ask("tiny");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("x-stoker-model"), "spare");
    rig.routes().models[0].fallback[0].allowed_only = true;
    ASSERT_TRUE(rig.apply());
    EXPECT_GE(ask("tiny").status, 500);
    EXPECT_EQ(rig.upstream(1).requests(), 1);
    auth.keys[0].models = {"tiny", "spa*"};
    ASSERT_TRUE(rig.gateway().apply_auth(auth));
    EXPECT_EQ(ask("tiny").header("x-stoker-model"), "spare");
}

class FallbackByCause : public testing::TestWithParam<std::tuple<Case, bool>> {};

TEST_P(FallbackByCause, AnotherModelAnswersAndTheClientSeesWhich) {
    const auto& [fault, stream] = GetParam();
    Rig rig(1, impatient);
    add_spare(rig, {fault.cause});
    rig.upstream(0).play(fault.script);
    const Reply reply = rig.ask(stream ? Ask{} : Ask{.body = kWhole});
    EXPECT_EQ(reply.status, 200) << fault.what << reply.body;
    EXPECT_TRUE(reply.clean);
    EXPECT_EQ(reply.header("x-stoker-model"), "spare");
    EXPECT_THAT(reply.header("x-stoker-replica"), HasSubstr("other/"));
    // The replica has no name of its own for the model, so it is asked for by the model's.
    EXPECT_THAT(rig.upstream(1).last_body(), HasSubstr(R"("model":"spare")"));
    const auto record = rig.records(1)[0];
    EXPECT_EQ(record.model, "spare");
    EXPECT_EQ(record.pool, "other");
    EXPECT_EQ(record.outcome, "ok");
    EXPECT_EQ(record.completion_tokens, 3) << "failed attempts must not be counted";
    EXPECT_GE(record.attempts.size(), 2u);
    EXPECT_NE(record.attempts[0].error, "");
}

// The same, but the fallback is for another cause.
TEST_P(FallbackByCause, OtherCausesDoNotTakeIt) {
    const auto& [fault, stream] = GetParam();
    Rig rig(1, impatient);
    add_spare(rig, {fault.cause == FallbackCause::Down ? FallbackCause::ContextTooLong : FallbackCause::Down});
    rig.upstream(0).play(fault.script);
    const Reply reply = rig.ask(stream ? Ask{} : Ask{.body = kWhole});
    EXPECT_GE(reply.status, 400) << fault.what;
    EXPECT_EQ(rig.upstream(1).requests(), 0);
    EXPECT_EQ(reply.header("x-stoker-model"), "tiny");
}

const Case kCases[] = {
    {"down", {.act = Act::Reset}, FallbackCause::Down},
    {"failing", {.act = Act::Status, .status = 500}, FallbackCause::Down},
    {"limited", {.act = Act::Status, .status = 429, .retry_after = "9"}, FallbackCause::Overloaded},
    {"overloaded", {.act = Act::Status, .status = 503, .retry_after = "9"}, FallbackCause::Overloaded},
    {"too long", {.act = Act::Status, .status = 400, .body = kTooLong}, FallbackCause::ContextTooLong},
    {"refused", {.act = Act::Status, .status = 400, .body = kRefused}, FallbackCause::ContentRefused},
};
INSTANTIATE_TEST_SUITE_P(All, FallbackByCause, testing::Combine(testing::ValuesIn(kCases), testing::Bool()));

TEST(Fallback, ARefusalThatNobodyMadeGoodReachesTheClientUntouched) {
    Rig rig(1, impatient);
    add_spare(rig, {FallbackCause::ContextTooLong});
    rig.upstream(0).play({.act = Act::Status, .status = 400, .body = kTooLong});
    rig.upstream(1).stop();
    const Reply reply = rig.ask();
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.body, kTooLong);
    EXPECT_EQ(reply.header("x-stoker-model"), "tiny");
    EXPECT_EQ(reply.header("x-stoker-replica"), rig.status(0).id);
    const auto record = rig.records(1)[0];
    EXPECT_EQ(record.model, "tiny");
    EXPECT_EQ(record.outcome, "client_error");
    EXPECT_EQ(reply.header("x-stoker-attempts"), std::to_string(record.attempts.size()));
    EXPECT_EQ(rig.status(0).failures_total, 0) << "a refusal is not the replica's fault";
}

TEST(Fallback, AChainIsFollowedInOrderByTheCauseOfTheStepBefore) {
    Rig rig(1, impatient);
    rig.add_pool("large", "large");
    rig.add_pool("last", "last");
    rig.routes().models = {{.name = "tiny",
                            .fallback = {{.to = "large", .on = {FallbackCause::ContextTooLong}},
                                         {.to = "last", .on = {FallbackCause::Down, FallbackCause::Overloaded}}}}};
    ASSERT_TRUE(rig.apply());
    // Too long for the first, the second is down: the third.
    rig.upstream(0).play({.act = Act::Status, .status = 400, .body = kTooLong, .times = 1});
    rig.upstream(1).play({.act = Act::Reset});
    EXPECT_EQ(rig.ask().header("x-stoker-model"), "last");
    // The first is overloaded: the second is not for that.
    const int before = rig.upstream(1).requests();
    rig.upstream(0).play({.act = Act::Status, .status = 429});
    EXPECT_EQ(rig.ask().header("x-stoker-model"), "last");
    EXPECT_EQ(rig.upstream(1).requests(), before);
}

TEST(Fallback, APoolWithoutReplicasToAskIsPassedOver) {
    Rig rig(3, impatient);
    rig.add_pool("other", "spare");
    rig.routes().models = {{.name = "tiny", .fallback = {{.to = "spare"}}}};
    ASSERT_TRUE(rig.apply());
    for (std::size_t i = 0; i < 3; ++i) ASSERT_TRUE(rig.gateway().eject(rig.status(i).id, "test"));
    EXPECT_EQ(rig.ask().header("x-stoker-model"), "spare");
    ASSERT_TRUE(rig.gateway().eject(rig.status(3).id, "test"));
    const Reply reply = rig.ask();
    EXPECT_EQ(reply.code(), "no_replica_available");
    EXPECT_EQ(reply.header("x-stoker-model"), "") << "nobody was asked";
}

// The last replica asked is not of the pool that the last step names.
TEST(Fallback, MetersTheReplicaThatWasAsked) {
    Rig rig(3, impatient);
    rig.add_pool("other", "spare");
    rig.routes().models = {{.name = "tiny", .fallback = {{.to = "spare"}}}};
    ASSERT_TRUE(rig.apply());
    for (std::size_t i = 0; i < 3; ++i) rig.upstream(i).stop();
    ASSERT_TRUE(rig.gateway().eject(rig.status(3).id, "test"));
    EXPECT_EQ(rig.ask().status, 503);
    EXPECT_EQ(rig.records(1)[0].attempts.size(), 3u);
}

}  // namespace
}  // namespace stoker::gateway::test
