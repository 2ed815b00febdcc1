// What requests leave in ledgers, records and metrics, through a real gateway.
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using testing::HasSubstr;

// A ledger's value over all replicas.
double ledger(Rig& rig, const std::string& name, const std::string& answer, const std::string& type) {
    double sum = 0;
    const std::string text = rig.registry().text();
    const std::string tail = "ledger=\"" + name + "\",answer=\"" + answer + "\",type=\"" + type + "\"} ";
    for (std::size_t at = text.find(tail); at != std::string::npos; at = text.find(tail, at + 1)) {
        sum += std::stod(text.substr(at + tail.size()));
    }
    return sum;
}

double wasted(Rig& rig, const std::string& type, const std::string& reason) {
    const std::string text = rig.registry().text();
    const std::string line =
        "stoker_gateway_wasted_tokens_total{pool=\"chat\",type=\"" + type + "\",reason=\"" + reason + "\"} ";
    const auto at = text.find(line);
    return at == std::string::npos ? 0 : std::stod(text.substr(at + line.size()));
}

TEST(Metering, EveryAnsweredAttemptIsInTheLedgersOnce) {
    Rig rig(2);
    rig.ask();  // A stream of three tokens by events and usage alike.
    rig.ask({.body = kWhole});
    ASSERT_TRUE(eventually([&] { return ledger(rig, "usage", "whole", "completion") == 3; }));
    ASSERT_TRUE(eventually([&] { return ledger(rig, "counted", "stream", "completion") == 3; }));
    EXPECT_EQ(ledger(rig, "usage", "stream", "completion"), 3);
    EXPECT_EQ(ledger(rig, "usage", "stream", "prompt"), 10);
    EXPECT_EQ(ledger(rig, "unreported", "stream", "completion"), 0);
    // A stream that nobody goes on with: its engine has worked all the same.
    for (std::size_t i : {0u, 1u}) rig.upstream(i).play({.act = Act::Cut, .events = 5});
    EXPECT_EQ(rig.ask().code(), "upstream_stream_cut");
    ASSERT_TRUE(eventually([&] { return ledger(rig, "counted", "stream", "completion") == 8; }));
    EXPECT_EQ(ledger(rig, "unreported", "stream", "completion"), 5);
    EXPECT_GT(ledger(rig, "unreported", "stream", "prompt"), 0);
    EXPECT_EQ(ledger(rig, "usage", "stream", "completion"), 3);
}

TEST(Metering, ReasoningAndCacheWritesAreOnRecord) {
    Rig rig(1);
    rig.upstream(0).play(
        {.act = Act::Status,
         .status = 200,
         .body = R"({"type":"message","content":[],"stop_reason":"end_turn","usage":{"input_tokens":10,)"
                 R"("cache_creation_input_tokens":100,"cache_read_input_tokens":1000,"output_tokens":20}})"});
    rig.ask({.body = kWhole, .path = "/v1/messages"});
    rig.upstream(0).play({.act = Act::Status,
                          .status = 200,
                          .body = R"({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":8,)"
                                  R"("completion_tokens_details":{"reasoning_tokens":5}}})"});
    rig.ask({.body = kWhole});
    const auto records = rig.records(2);
    EXPECT_EQ(records[0].prompt_tokens, 1'110);
    EXPECT_EQ(records[0].cached_tokens, 1'000);
    EXPECT_EQ(records[0].cache_write_tokens, 100);
    EXPECT_EQ(records[1].reasoning_tokens, 5);
    EXPECT_EQ(records[1].completion_tokens, 8);
    EXPECT_THAT(rig.registry().text(), HasSubstr(R"(type="reasoning",source="engine"} 5)"));
    EXPECT_THAT(rig.registry().text(), HasSubstr(R"(type="cache_write",source="engine"} 100)"));
}

TEST(Metering, WhatIsMadeForWhoHasLeftIsWaste) {
    Rig rig(1);
    rig.ask({.body = kWhole});  // How long an answer takes here, and how long it is.
    rig.upstream(0).play({.act = Act::Silent});
    rig.ask({.body = kWhole, .leave_after_pieces = 0});
    const auto record = rig.records(2)[1];
    EXPECT_EQ(record.outcome, "cancelled");
    EXPECT_GT(record.wasted_tokens, 0);
    EXPECT_EQ(record.attempts.back().wasted, record.wasted_tokens);
    EXPECT_EQ(wasted(rig, "completion", "client_left"), static_cast<double>(record.wasted_tokens));
}

TEST(Metering, APrefixComputedAgainIsWaste) {
    Rig rig(1);
    std::string prompt;
    for (int i = 0; i < 500; ++i) prompt += "word" + std::to_string(i) + " ";
    const std::string body = R"({"model":"tiny","messages":[{"role":"user","content":")" + prompt + "\"}]}";
    rig.upstream(0).play({.act = Act::Status,
                          .status = 200,
                          .body = R"({"choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":1,)"
                                  R"("prompt_tokens_details":{"cached_tokens":0}}})"});
    for (int i = 0; i < 2; ++i) rig.ask({.body = body});
    const auto records = rig.records(2);
    EXPECT_EQ(records[0].recomputed_tokens, 0) << "nobody had it";
    EXPECT_GT(records[1].recomputed_tokens, 900);
    EXPECT_EQ(wasted(rig, "prompt", "prefix"), static_cast<double>(records[1].recomputed_tokens));
}

TEST(Metering, TheStagesOfARequestAreShown) {
    Rig rig(1);
    rig.ask();
    for (const char* stage : {"parse", "route", "limit", "connect", "upstream", "write"}) {
        const std::string line = "stoker_gateway_overhead_seconds_count{stage=\"" + std::string(stage) + "\"} 1";
        EXPECT_TRUE(eventually([&] { return rig.registry().text().find(line) != std::string::npos; })) << stage;
    }
}

}  // namespace
}  // namespace stoker::gateway::test
