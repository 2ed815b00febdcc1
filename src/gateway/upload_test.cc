// Forms on their way through a real gateway: short ones like any request, long ones as they come.
#include "gateway/upload.h"

#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using testing::HasSubstr;

const std::string kAnswer = R"({"text":"heard","usage":{"type":"tokens","input_tokens":14,"output_tokens":3}})";

std::string field(const std::string& name, const std::string& value) {
    return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}

std::string file(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7919 >> 3);
    return "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n" + bytes + "\r\n";
}

Ask form(std::string body) {
    Ask ask{.body = std::move(body), .path = "/v1/audio/transcriptions"};
    ask.headers.add("content-type", "multipart/form-data; boundary=b");
    return ask;
}

Script answers() {
    return {.act = Act::Status, .status = 200, .body = kAnswer};
}

TEST(Upload, AShortFormIsEditedAndTriedAgain) {
    Rig rig(2);
    const std::string tail = field("language", "en") + "--b--\r\n";
    for (int i = 0; i < 2; ++i) {
        rig.upstream(0).play(i == 0 ? Script{.act = Act::Reset} : answers());
        rig.upstream(1).play(i == 0 ? answers() : Script{.act = Act::Reset});
        const Reply reply = rig.ask(form(file(1000) + field("model", "tiny") + tail));
        EXPECT_EQ(reply.status, 200) << reply.body;
        EXPECT_EQ(reply.body, kAnswer);
        EXPECT_EQ(rig.upstream(1 - i).last_body(), file(1000) + field("model", "engine-name") + tail);
    }
    const auto record = rig.records(2)[0];
    EXPECT_EQ(record.model, "tiny");
    EXPECT_EQ(record.prompt_tokens, 14);
    EXPECT_EQ(record.completion_tokens, 3);
}

TEST(Upload, ALongFormFlowsThroughOnceItsModelIsKnown) {
    Rig rig(1);
    rig.upstream(0).play(answers());
    constexpr std::size_t kSize = 20'000'000;
    const Reply first = rig.ask(form(field("model", "tiny") + file(kSize) + "--b--\r\n"));
    EXPECT_EQ(first.status, 200) << first.body;
    EXPECT_TRUE(rig.upstream(0).last_body() == field("model", "engine-name") + file(kSize) + "--b--\r\n");
    const Reply last = rig.ask(form(file(kSize) + field("model", "tiny") + "--b--\r\n"));
    EXPECT_EQ(last.status, 200) << last.body;
    EXPECT_TRUE(rig.upstream(0).last_body() == file(kSize) + field("model", "engine-name") + "--b--\r\n");
    EXPECT_GT(rig.records(2)[0].request_bytes, 20'000'000);
}

TEST(Upload, WhatHasBegunToFlowGoesToNoSecondReplica) {
    Rig rig(2);
    rig.upstream(0).play({.act = Act::Reset});
    rig.upstream(1).play({.act = Act::Reset});
    const Reply reply = rig.ask(form(field("model", "tiny") + file(5'000'000) + "--b--\r\n"));
    EXPECT_EQ(reply.code(), "upstream_unreachable");
    EXPECT_EQ(reply.header("x-stoker-attempts"), "1");
    EXPECT_EQ(rig.upstream(0).requests() + rig.upstream(1).requests(), 1);
}

TEST(Upload, AReplicaThatIsNotThereIsPassedOver) {
    Rig rig(2);
    rig.upstream(0).stop();
    rig.upstream(1).play(answers());
    for (int i = 0; i < 2; ++i) {
        const Reply reply = rig.ask(form(field("model", "tiny") + file(5'000'000) + "--b--\r\n"));
        EXPECT_EQ(reply.status, 200) << reply.body;
    }
}

TEST(Upload, WhoLeavesWhileTheAnswerIsAwaitedCancelsIt) {
    Rig rig(1);
    rig.upstream(0).play({.act = Act::Silent});
    Ask ask = form(field("model", "tiny") + file(5'000'000) + "--b--\r\n");
    ask.leave_after_pieces = 0;
    EXPECT_EQ(rig.ask(std::move(ask)).status, 0);
    EXPECT_TRUE(eventually([&rig]() { return rig.upstream(0).left() == 1; }));
    EXPECT_EQ(rig.records(1)[0].status, 499);
}

TEST(Upload, ASecondModelBehindTheFileIsRefused) {
    Rig rig(1);
    rig.upstream(0).play(answers());
    const Reply reply = rig.ask(form(field("model", "tiny") + file(5'000'000) + field("model", "other") + "--b--\r\n"));
    EXPECT_EQ(reply.status, 400) << reply.body;
    EXPECT_EQ(reply.code(), "invalid_request");
    EXPECT_EQ(rig.upstream(0).requests(), 0);
    EXPECT_EQ(rig.status(0).state, ReplicaState::Serving);
}

TEST(Upload, BadFormsAreRefused) {
    Rig rig(1);
    EXPECT_EQ(rig.ask(form(field("file", "x") + "--b--\r\n")).code(), "missing_model");
    EXPECT_EQ(rig.ask(form(field("model", "tiny"))).code(), "invalid_request");
    EXPECT_EQ(rig.ask(form("{}")).code(), "invalid_request");
    EXPECT_EQ(rig.ask(form(field("model", "tinny") + "--b--\r\n")).code(), "model_not_found");
    EXPECT_EQ(rig.upstream(0).requests(), 0);
}

}  // namespace
}  // namespace stoker::gateway::test
