#include "api/traces_receiver.h"

#include <gtest/gtest.h>

#include "api/genai_dialects.h"
#include "wire/compression.h"

namespace stoker::api {
namespace {

using wire::JsonAttributes;

std::string value_of(const JsonAttributes& attributes, std::string_view key) {
    for (const auto& [name, value] : attributes) {
        if (name == key) return value;
    }
    return "(none)";
}

records::SpanRow fields_of(JsonAttributes attributes) {
    normalise_genai(attributes);
    records::SpanRow row;
    set_genai_fields(attributes, row);
    return row;
}

TEST(GenaiDialects, AllSayTheSame) {
    const JsonAttributes dialects[] = {
        // OpenTelemetry GenAI 1.41
        {{"gen_ai.operation.name", R"("chat")"},
         {"gen_ai.provider.name", R"("openai")"},
         {"gen_ai.request.model", R"("tiny")"},
         {"gen_ai.response.model", R"("tiny-1")"},
         {"gen_ai.usage.input_tokens", "10"},
         {"gen_ai.usage.output_tokens", "20"}},
        // As it was up to 1.26
        {{"gen_ai.operation.name", R"("chat")"},
         {"gen_ai.system", R"("openai")"},
         {"gen_ai.response.model", R"("tiny-1")"},
         {"gen_ai.usage.prompt_tokens", "10"},
         {"gen_ai.usage.completion_tokens", "20"}},
        // OpenInference
        {{"openinference.span.kind", R"("LLM")"},
         {"llm.provider", R"("openai")"},
         {"llm.model_name", R"("tiny-1")"},
         {"llm.token_count.prompt", "10"},
         {"llm.token_count.completion", "20.0"}},
        // OpenLLMetry
        {{"llm.request.type", R"("chat")"},
         {"gen_ai.system", R"("openai")"},
         {"gen_ai.request.model", R"("tiny-1")"},
         {"llm.usage.prompt_tokens", R"("10")"},
         {"llm.usage.completion_tokens", "20"}},
    };
    for (const JsonAttributes& dialect : dialects) {
        const records::SpanRow row = fields_of(dialect);
        SCOPED_TRACE(dialect.front().first);
        EXPECT_EQ(row.operation, "chat");
        EXPECT_EQ(row.provider, "openai");
        EXPECT_EQ(row.model, "tiny-1");
        EXPECT_EQ(row.input_tokens, 10);
        EXPECT_EQ(row.output_tokens, 20);
    }
}

TEST(GenaiDialects, KeepsWhatWasSent) {
    JsonAttributes attributes{{"llm.model_name", R"("tiny")"}, {"gen_ai.completion.0.finish_reason", R"("stop")"}};
    normalise_genai(attributes);
    EXPECT_EQ(value_of(attributes, "llm.model_name"), R"("tiny")");
    EXPECT_EQ(value_of(attributes, "gen_ai.request.model"), R"("tiny")");
    EXPECT_EQ(value_of(attributes, "gen_ai.response.finish_reasons"), R"(["stop"])");
    EXPECT_EQ(value_of(attributes, "stoker.genai.normalised"), "true");
}

TEST(GenaiDialects, LeavesOtherSpansAlone) {
    JsonAttributes attributes{{"http.request.method", R"("GET")"}, {"session.id", R"("s")"}, {"agent.name", R"("x")"}};
    const JsonAttributes before = attributes;
    normalise_genai(attributes);
    EXPECT_EQ(attributes, before);
    EXPECT_EQ(fields_of(before).output_tokens, records::kUnknownTokens);
}

TEST(GenaiDialects, KindsBecomeOperations) {
    EXPECT_EQ(fields_of({{"openinference.span.kind", R"("TOOL")"}}).operation, "execute_tool");
    EXPECT_EQ(fields_of({{"traceloop.span.kind", R"("workflow")"}}).operation, "invoke_workflow");
    EXPECT_EQ(fields_of({{"openinference.span.kind", R"("UNHEARD_OF")"}}).operation, "");
    EXPECT_EQ(fields_of({{"gen_ai.usage.input_tokens", "-5"}}).input_tokens, records::kUnknownTokens);
    EXPECT_EQ(fields_of({{"gen_ai.usage.input_tokens", R"("many")"}}).input_tokens, records::kUnknownTokens);
}

class TracesReceiverTest : public ::testing::Test {
protected:
    net::Response otlp(const std::string& body, const std::string& encoding = "") {
        collect::PushRequest request;
        request.headers.set("Content-Type", "application/json");
        if (!encoding.empty()) request.headers.set("Content-Encoding", encoding);
        request.body = body;
        return receiver_.receive_otlp(request);
    }
    net::Response zipkin(const std::string& body) {
        collect::PushRequest request;
        request.headers.set("Content-Type", "application/json");
        request.body = body;
        return receiver_.receive_zipkin(request);
    }
    static std::string spans(const std::string& list) {
        return R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"app"}}]},)"
               R"("scopeSpans":[{"scope":{"name":"lib"},"spans":[)" +
               list + "]}]}]}";
    }
    static std::string span(const std::string& name) {
        return R"({"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":")" + name +
               R"(","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000001000000000"})";
    }

    metrics::Registry registry_;
    std::vector<records::SpanRow> kept_;
    Result<Unit> outcome_ = Unit{};
    TracesReceiver receiver_{[this](std::span<const records::SpanRow> rows) -> Result<Unit> {
                                 if (!outcome_) return outcome_;
                                 kept_.insert(kept_.end(), rows.begin(), rows.end());
                                 return Unit{};
                             },
                             TracesOptions{.max_body_bytes = 1 << 20,
                                           .limits = {.max_spans = 3, .max_row_bytes = 2000, .max_name_bytes = 20},
                                           .decode = {}},
                             registry_};
};

TEST_F(TracesReceiverTest, KeepsSpans) {
    const auto response = otlp(spans(span("chat")));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "{}");
    ASSERT_EQ(kept_.size(), 1u);
    EXPECT_EQ(kept_[0].service, "app");
    EXPECT_EQ(kept_[0].scope, "lib");
    EXPECT_EQ(kept_[0].format, "otlp");
    EXPECT_EQ(kept_[0].duration_ns, 1'000'000'000);
    EXPECT_EQ(kept_[0].resource, R"({"service.name":"app"})");
}

TEST_F(TracesReceiverTest, TakesCompressedBodies) {
    EXPECT_EQ(otlp(wire::gzip_compress(spans(span("chat"))), "gzip").status, 200);
    EXPECT_EQ(otlp("not gzip", "gzip").status, 400);
    EXPECT_EQ(kept_.size(), 1u);
}

TEST_F(TracesReceiverTest, OneBadSpanSpoilsNothing) {
    const auto response = otlp(spans(span("good") + R"(,{"name":"without ids"},)" + span(std::string(3000, 'x'))));
    EXPECT_EQ(response.status, 200);
    EXPECT_NE(response.body.find(R"("rejectedSpans":"1")"), std::string::npos) << response.body;
    EXPECT_NE(response.body.find("no trace id"), std::string::npos) << response.body;
    ASSERT_EQ(kept_.size(), 2u);
    EXPECT_EQ(kept_[1].name, std::string(20, 'x'));  // Cut, not refused.
    const auto large = otlp(spans(R"({"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331",)"
                                  R"("startTimeUnixNano":"1","attributes":[{"key":"prompt","value":{"stringValue":")" +
                                  std::string(3000, 'x') + R"("}}]})"));
    EXPECT_NE(large.body.find("record less content"), std::string::npos) << large.body;
}

TEST_F(TracesReceiverTest, TooManySpansAreRejectedAlone) {
    const auto response = otlp(spans(span("1") + "," + span("2") + "," + span("3") + "," + span("4")));
    EXPECT_NE(response.body.find("send fewer"), std::string::npos) << response.body;
    EXPECT_EQ(kept_.size(), 3u);
}

TEST_F(TracesReceiverTest, SaysWhenSendingAgainHelps) {
    outcome_ = Error{Errc::ResourceExhausted, "the disk is full"};
    const auto response = otlp(spans(span("chat")));
    EXPECT_EQ(response.status, 503);
    EXPECT_TRUE(response.headers.get("retry-after"));
    EXPECT_EQ(otlp("{").status, 400);
}

TEST_F(TracesReceiverTest, TakesZipkin) {
    EXPECT_EQ(
        zipkin(R"([{"traceId":"1","id":"2","timestamp":1700000000000000,"localEndpoint":{"serviceName":"z"}}])").status,
        202);
    ASSERT_EQ(kept_.size(), 1u);
    EXPECT_EQ(kept_[0].format, "zipkin");
    EXPECT_EQ(kept_[0].service, "z");
    EXPECT_EQ(zipkin(R"([{"traceId":"1"}])").status, 400);
    EXPECT_EQ(zipkin("{}").status, 400);
}

}  // namespace
}  // namespace stoker::api
