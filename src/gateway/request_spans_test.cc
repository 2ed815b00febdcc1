// The trace that follows from a record.
#include "gateway/request_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace stoker::gateway {
namespace {

using testing::ElementsAre;
using wire::otlp::Span;
using wire::otlp::SpanKind;

constexpr std::int64_t kMillis = 1'000'000;

records::RequestRecord record() {
    records::RequestRecord record;
    record.id = "req_1";
    record.trace_id = "0af7651916cd43dd8448eb211c80319c";
    record.span_id = "b7ad6b7169203331";
    record.parent_span_id = "00f067aa0ba902b7";
    record.time_ms = 1'700'000'000'000;
    record.endpoint = "/v1/chat/completions";
    record.model = "small";
    record.requested_model = "big";
    record.replica = "chat/127.0.0.1:9002";
    record.status = 200;
    record.outcome = "ok";
    record.finish_reason = "length";
    record.usage_source = records::UsageSource::Engine;
    record.prompt_tokens = 7;
    record.completion_tokens = 9;
    record.receive_ns = 2 * kMillis;
    record.cache_ns = 1 * kMillis;
    record.queue_ns = 2 * kMillis;
    record.write_ns = 6 * kMillis;
    record.duration_ns = 100 * kMillis;
    record.ttft_ns = 40 * kMillis;
    record.attempts = {{"chat/127.0.0.1:9001", 0, "connect_refused", 5 * kMillis, 1 * kMillis},
                       {"chat/127.0.0.1:9002", 200, "", 10 * kMillis, 85 * kMillis}};
    return record;
}

std::string outline(const std::vector<Span>& spans) {
    std::string text;
    const std::int64_t start = spans.front().start_ns;
    for (const Span& span : spans) {
        text += span.name + " " + std::to_string((span.start_ns - start) / kMillis) + "-" +
                std::to_string((span.end_ns - start) / kMillis) + (span.failed ? " failed" : "") + "\n";
    }
    return text;
}

const wire::otlp::SpanValue* find(const Span& span, std::string_view key) {
    for (const auto& [name, value] : span.attributes) {
        if (name == key) return &value;
    }
    return nullptr;
}

TEST(RequestSpans, TellTheWholeStory) {
    const auto spans = spans_of(record());
    EXPECT_EQ(outline(spans),
              "chat big 0-100\n"
              "receive 0-2\n"
              "cache 2-3\n"
              "queue 3-5\n"
              "attempt chat/127.0.0.1:9001 5-6 failed\n"
              "attempt chat/127.0.0.1:9002 10-95\n"
              "first token 10-40\n"
              "tokens 40-100\n"
              "write 94-100\n");
    EXPECT_EQ(spans[0].kind, SpanKind::Server);
    EXPECT_EQ(spans[0].start_ns, 1'700'000'000'000 * kMillis);
    EXPECT_EQ(spans[0].parent_span_id, "00f067aa0ba902b7");
    EXPECT_EQ(std::get<std::string>(*find(spans[0], "gen_ai.request.model")), "big");
    EXPECT_EQ(std::get<std::string>(*find(spans[0], "gen_ai.response.model")), "small");
    EXPECT_EQ(std::get<std::int64_t>(*find(spans[0], "gen_ai.usage.output_tokens")), 9);
    EXPECT_THAT(std::get<std::vector<std::string>>(*find(spans[0], "gen_ai.response.finish_reasons")),
                ElementsAre("length"));
    EXPECT_EQ(std::get<std::string>(*find(spans[4], "error.type")), "connect_refused");
    EXPECT_EQ(std::get<std::string>(*find(spans[5], "server.address")), "127.0.0.1:9002");
    for (std::size_t i = 1; i < spans.size(); ++i) EXPECT_EQ(spans[i].parent_span_id, spans[0].span_id);
}

// The second one was sent beside the first, which answered: nothing failed, and the first token is the first's.
TEST(RequestSpans, AHedgeThatLostHasNotFailed) {
    records::RequestRecord hedged = record();
    hedged.attempts = {{"chat/127.0.0.1:9001", 200, "", 5 * kMillis, 90 * kMillis},
                       {"chat/127.0.0.1:9002", 0, "hedge_lost", 20 * kMillis, 20 * kMillis}};
    hedged.attempts[1].kind = "hedge";
    const auto spans = spans_of(hedged);
    EXPECT_EQ(outline(spans),
              "chat big 0-100\n"
              "receive 0-2\n"
              "cache 2-3\n"
              "queue 3-5\n"
              "attempt chat/127.0.0.1:9001 5-95\n"
              "attempt chat/127.0.0.1:9002 20-40\n"
              "first token 5-40\n"
              "tokens 40-100\n"
              "write 94-100\n");
    EXPECT_EQ(std::get<std::string>(*find(spans[5], "stoker.attempt.kind")), "hedge");
    EXPECT_TRUE(std::get<bool>(*find(spans[5], "stoker.attempt.cancelled")));
    EXPECT_EQ(find(spans[4], "stoker.attempt.kind"), nullptr);
}

TEST(RequestSpans, EachHasAnIdOfItsOwnAndAlwaysTheSame) {
    const auto spans = spans_of(record());
    std::set<std::string> ids;
    for (const Span& span : spans) {
        EXPECT_EQ(span.span_id.size(), 16u);
        ids.insert(span.span_id);
    }
    EXPECT_EQ(ids.size(), spans.size());
    EXPECT_EQ(spans[5].span_id, attempt_span_id("b7ad6b7169203331", 1));
}

TEST(RequestSpans, ARefusalIsNoErrorOfTheServer) {
    records::RequestRecord refused;
    refused.trace_id = record().trace_id;
    refused.span_id = record().span_id;
    refused.endpoint = "/v1/rerank";
    refused.status = 404;
    refused.outcome = "client_error";
    refused.error = "model_not_found";
    auto spans = spans_of(refused);
    EXPECT_EQ(outline(spans), "/v1/rerank 0-0\n");
    EXPECT_EQ(std::get<std::string>(*find(spans[0], "error.type")), "model_not_found");
    EXPECT_EQ(find(spans[0], "gen_ai.usage.input_tokens"), nullptr);
    refused.status = 503;
    EXPECT_TRUE(spans_of(refused)[0].failed);
}

TEST(RequestSpans, OldRecordsHaveNone) {
    records::RequestRecord old = record();
    old.span_id.clear();
    EXPECT_TRUE(spans_of(old).empty());
}

}  // namespace
}  // namespace stoker::gateway
