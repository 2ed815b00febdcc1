// What a level does to requests, end to end through the gateway.
#include "gateway/rig_test.h"

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;
using test::Ask;
using test::Rig;
using testing::HasSubstr;
using testing::Not;

class Degrade : public testing::Test {
protected:
    explicit Degrade() {
        rig.pool().replicas[0].model.clear();
        rig.routes().pools.push_back(rig.pool());
        rig.routes().pools.back().name = "small";
        rig.routes().pools.back().models = {"small"};
        EXPECT_TRUE(rig.apply());
    }

    // Every pool at this level, which does this.
    void cut(LevelActions actions, DegradationLevel level = DegradationLevel::Medium) {
        DegradationOptions options;
        options.levels[static_cast<std::size_t>(level)] = std::move(actions);
        rig.gateway().degradation().configure(std::move(options));
        rig.gateway().degradation().pin({"", level, {}, "test", ""}, now());
    }
    std::string sent() { return rig.upstream(0).last_body(); }

    Rig rig{1};
};

TEST_F(Degrade, AtLevelNormalNothingIsTouched) {
    const std::string body = R"({ "model":"tiny", "n":2,"messages":[] })";
    const auto reply = rig.ask({.body = body});
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("x-stoker-degradation"), "");
    EXPECT_EQ(sent(), body);
}

TEST_F(Degrade, DropsMembersAndCapsTheAnswer) {
    cut({.drop = {"logprobs", "n"}, .max_tokens = 100});
    auto reply = rig.ask({.body = R"({"model":"tiny","n":4,"messages":[],"logprobs":true,"max_tokens":500})"});
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("x-stoker-degradation"), "2");
    EXPECT_EQ(sent(), R"({"model":"tiny","messages":[],"max_tokens":100})");
    rig.ask({.body = R"({"model":"tiny","messages":[],"max_completion_tokens":50})"});
    EXPECT_EQ(sent(), R"({"model":"tiny","messages":[],"max_completion_tokens":50})");
    rig.ask({.body = R"({"model":"tiny","messages":[]})"});
    EXPECT_EQ(sent(), R"({"model":"tiny","messages":[],"max_tokens":100})");
    rig.ask({.body = R"({"model":"tiny","input":"x"})", .path = "/v1/embeddings"});
    EXPECT_EQ(sent(), R"({"model":"tiny","input":"x"})");
}

TEST_F(Degrade, SwitchesToASmallerModel) {
    cut({.models = {{"tiny", "small"}}});
    const auto reply = rig.ask({.body = R"({"model":"tiny","messages":[]})"});
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(sent(), R"({"model":"small","messages":[]})");
    EXPECT_EQ(rig.records(1)[0].model, "small");
}

TEST_F(Degrade, RefusesLongPrompts) {
    cut({.max_prompt_bytes = 40});
    const auto reply =
        rig.ask({.body = R"({"model":"tiny","messages":[{"role":"user","content":"0123456789012345"}]})"});
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.code(), "service_degraded");
    EXPECT_EQ(reply.header("retry-after"), "120");
    EXPECT_EQ(rig.upstream(0).requests(), 0);
    EXPECT_EQ(rig.ask({.body = R"({"model":"tiny","messages":[]})"}).status, 200);
}

TEST_F(Degrade, RefusesByPriority) {
    cut({.refuse_up_to = Priority::Normal}, DegradationLevel::Emergency);
    const auto reply = rig.ask();
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.header("x-stoker-degradation"), "4");
    EXPECT_THAT(reply.body, HasSubstr("emergency"));
    cut({.refuse_up_to = Priority::Low}, DegradationLevel::Emergency);
    EXPECT_EQ(rig.ask().status, 200);
}

TEST_F(Degrade, AnswersByItself) {
    cut({.refuse_up_to = Priority::High, .answer = "Back \"soon\"."}, DegradationLevel::Emergency);
    auto reply = rig.ask({.body = test::kWhole});
    EXPECT_EQ(reply.status, 200);
    EXPECT_THAT(reply.body, HasSubstr(R"("content":"Back \"soon\".")"));
    reply = rig.ask();
    EXPECT_EQ(reply.header("content-type"), "text/event-stream");
    EXPECT_THAT(reply.body, HasSubstr("chat.completion.chunk"));
    EXPECT_TRUE(reply.body.ends_with("data: [DONE]\n\n"));
    reply = rig.ask({.body = R"({"model":"tiny","input":"x"})", .path = "/v1/embeddings"});
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(rig.upstream(0).requests(), 0);
}

TEST_F(Degrade, OnlyThePoolThatIsDegraded) {
    DegradationOptions options;
    options.levels[1] = {.max_tokens = 7};
    rig.gateway().degradation().configure(std::move(options));
    rig.gateway().degradation().pin({"small", DegradationLevel::Light, {}, "test", ""}, now());
    rig.ask({.body = R"({"model":"tiny","messages":[]})"});
    EXPECT_THAT(sent(), Not(HasSubstr("max_tokens")));
    rig.ask({.body = R"({"model":"small","messages":[]})"});
    EXPECT_THAT(sent(), HasSubstr(R"("max_tokens":7)"));
}

}  // namespace
}  // namespace stoker::gateway
