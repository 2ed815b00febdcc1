#include "gateway/upstream/stream_relay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stoker::gateway {
namespace {

using namespace std::chrono_literals;
using State = StreamRelay::State;
using testing::HasSubstr;
using testing::Not;

std::string chunk(std::string_view content) {
    return R"(data: {"choices":[{"index":0,"delta":{"content":")" + std::string(content) + "\"}}]}\n\n";
}
const std::string kRole = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const std::string kFinish = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const std::string kUsage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n";
const std::string kDone = "data: [DONE]\n\n";
const SteadyTime kStart{1h};

TEST(StreamRelay, PassesTheEnginesBytes) {
    StreamRelay relay({});
    const std::string stream = kRole + chunk("a") + chunk("b") + kFinish + kUsage + kDone;
    EXPECT_EQ(relay.feed(stream, kStart), State::Done);
    EXPECT_EQ(relay.out(), stream);
    EXPECT_EQ(relay.facts().content_events, 2);
    EXPECT_EQ(relay.facts().finish_reason, "stop");
    EXPECT_EQ(relay.facts().usage->completion_tokens, 2);
}

TEST(StreamRelay, SameWhateverThePieces) {
    const std::string stream = ": ping\n\n" + kRole + chunk("a") + chunk("b") + kFinish + kUsage + kDone;
    for (std::size_t size = 1; size < 40; ++size) {
        StreamRelay relay({.hide_usage = true});
        std::string seen;
        for (std::size_t at = 0; at < stream.size(); at += size) {
            if (relay.feed(std::string_view(stream).substr(at, size), kStart) == State::Holding) continue;
            seen += std::exchange(relay.out(), {});
        }
        EXPECT_EQ(relay.state(), State::Done);
        EXPECT_EQ(seen, ": ping\n\n" + kRole + chunk("a") + chunk("b") + kFinish + kDone) << "pieces of " << size;
    }
}

TEST(StreamRelay, HoldsUntilThereIsSomethingForTheUser) {
    StreamRelay relay({});
    EXPECT_EQ(relay.feed(kRole, kStart), State::Holding);
    EXPECT_EQ(relay.feed(chunk("a"), kStart + 1s), State::Flowing);
    EXPECT_EQ(relay.out(), kRole + chunk("a"));
    EXPECT_EQ(relay.facts().first_content, kStart + 1s);
}

TEST(StreamRelay, TheOpeningOfACallIsNoTokenOfItsOwn) {
    const auto call = [](std::string_view inside) {
        return R"(data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{)" + std::string(inside) +
               "}}]}}]}\n\n";
    };
    const std::string opening = call(R"("name":"f","arguments":"")");
    const std::string piece = call(R"("arguments":"1")");
    StreamRelay relay({});
    EXPECT_EQ(relay.feed(opening, kStart), State::Flowing);
    EXPECT_EQ(relay.facts().content_events, 1) << "a call may have no arguments";
    relay.feed(piece, kStart + 1s);
    EXPECT_EQ(relay.facts().content_events, 1);
    relay.feed(piece, kStart + 2s);
    relay.feed(opening + piece, kStart + 3s);
    relay.feed(opening + opening + piece, kStart + 4s);
    EXPECT_EQ(relay.facts().content_events, 5);
    EXPECT_EQ(relay.facts().first_content, kStart);
    EXPECT_EQ(relay.facts().last_content, kStart + 4s);
}

TEST(StreamRelay, HidesUsageThatOnlyTheGatewayAskedFor) {
    StreamRelay relay({.hide_usage = true});
    relay.feed("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"usage\":null}\n\n" + kFinish +
                   kUsage + kDone,
               kStart);
    EXPECT_EQ(relay.out(), chunk("a") + kFinish + kDone);
    EXPECT_EQ(relay.facts().usage->prompt_tokens, 3);
}

TEST(StreamRelay, EmptyChoicesWithoutUsageAreSomebodysOwn) {
    StreamRelay relay({.hide_usage = true});
    const std::string filter = "data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n";
    relay.feed(filter + chunk("a"), kStart);
    EXPECT_EQ(relay.out(), filter + chunk("a"));
}

TEST(StreamRelay, TimesTheGapsBetweenContents) {
    metrics::Histogram gaps({0.05, 0.5});
    StreamRelay relay({.inter_token_latency = &gaps});
    relay.feed(kRole, kStart);
    relay.feed(chunk("a"), kStart + 1s);
    relay.feed(chunk("b"), kStart + 1s + 20ms);
    relay.feed(chunk("c"), kStart + 1s + 320ms);
    EXPECT_EQ(gaps.in_bucket(0), 1u);
    EXPECT_EQ(gaps.in_bucket(1), 1u);
    EXPECT_EQ(relay.facts().longest_gap_ns, 300'000'000);
}

TEST(StreamRelay, CutIsNotAnEnd) {
    StreamRelay relay({});
    relay.feed(chunk("a"), kStart);
    EXPECT_EQ(relay.end_of_body(), State::Failed);
    EXPECT_EQ(relay.failure().error, GatewayError::StreamCut);
}

TEST(StreamRelay, MissingDoneAfterAllChoicesFinishedIsAdded) {
    StreamRelay relay({});
    relay.feed(chunk("a") + kFinish, kStart);
    EXPECT_EQ(relay.end_of_body(), State::Done);
    EXPECT_EQ(relay.out(), chunk("a") + kFinish + kDone);
}

TEST(StreamRelay, MissingDoneWithAnUnfinishedChoiceIsACut) {
    StreamRelay relay({});
    relay.feed(chunk("a") + "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"}}]}\n\n" + kFinish, kStart);
    EXPECT_EQ(relay.end_of_body(), State::Failed);
}

TEST(StreamRelay, HalfAnEventAtTheEndIsACut) {
    StreamRelay relay({});
    relay.feed(chunk("a") + kFinish + "data: {\"cho", kStart);
    EXPECT_EQ(relay.end_of_body(), State::Failed);
}

TEST(StreamRelay, MalformedEventFailsAfterWhatCameBefore) {
    StreamRelay relay({});
    EXPECT_EQ(relay.feed(chunk("a") + "data: {\"choices\":[{\"del\n\n" + chunk("b") + kDone, kStart), State::Failed);
    EXPECT_EQ(relay.failure().error, GatewayError::StreamMalformed);
    EXPECT_EQ(relay.out(), chunk("a"));
}

TEST(StreamRelay, AnEventWithoutEndIsBounded) {
    StreamRelay relay({.max_event_bytes = 1000});
    EXPECT_EQ(relay.feed("data: " + std::string(2000, 'x'), kStart), State::Failed);
    EXPECT_EQ(relay.failure().error, GatewayError::StreamMalformed);
}

TEST(StreamRelay, DoneWithoutAnyAnswerIsACut) {
    StreamRelay relay({});
    EXPECT_EQ(relay.feed(kDone, kStart), State::Failed);
    EXPECT_EQ(relay.failure().error, GatewayError::StreamCut);
}

TEST(StreamRelay, AnErrorEventBeforeContentIsHeldWithItsStatus) {
    StreamRelay relay({});
    const std::string error = R"({"error":{"message":"too long","code":400}})";
    EXPECT_EQ(relay.feed(kRole + "data: " + error + "\n\n" + kDone, kStart), State::Failed);
    EXPECT_EQ(relay.failure().upstream_status, 400);
    EXPECT_EQ(relay.failure().upstream_body, error);
    EXPECT_THAT(relay.out(), Not(HasSubstr("error")));
}

TEST(StreamRelay, AnErrorEventAfterContentIsKeptForItsEnd) {
    StreamRelay relay({});
    const std::string error = "data: {\"error\":{\"message\":\"out of memory\",\"code\":500}}\n\n";
    EXPECT_EQ(relay.feed(chunk("a") + error + kDone, kStart), State::Failed);
    EXPECT_EQ(relay.failure().error, GatewayError::StreamError);
    EXPECT_EQ(relay.out(), chunk("a"));
    EXPECT_EQ(relay.failure().upstream_event, error);
}

TEST(WithData, KeepsTheOtherFields) {
    EXPECT_EQ(with_data("event: x\r\ndata: {\r\ndata: }\r\nid: 7\r\n\r\n", "{}"),
              "event: x\r\ndata: {}\r\nid: 7\r\n\r\n");
    EXPECT_EQ(with_data("data:{}\n\n", "{\n}"), "data: { }\n\n");
}

}  // namespace
}  // namespace stoker::gateway
