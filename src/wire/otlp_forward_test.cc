// What is encoded, the decoder of received requests reads again.
#include "wire/otlp_forward.h"

#include <gtest/gtest.h>

#include "wire/otlp_logs.h"
#include "wire/received_spans.h"

namespace stoker::wire::otlp {
namespace {

constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* kSpan = "b7ad6b7169203331";

std::string shown(const JsonAttributes& attributes) {
    std::string out;
    for (const auto& [key, value] : attributes) out += key + "=" + value + ";";
    return out;
}
TEST(OtlpForward, SpansKeepEverything) {
    ForwardedSpan span;
    span.trace_id = kTrace;
    span.span_id = kSpan;
    span.parent_span_id = "00f067aa0ba902b7";
    span.name = "chat \xc3\xa9";
    span.kind = "client";
    span.start_ns = 1'700'000'000'000'000'001;
    span.end_ns = 1'700'000'001'000'000'000;
    span.error = true;
    span.status_message = "out of memory";
    span.attributes = R"({"text":"a\"b","n":-5,"big":18446744073709551615,"x":1.5,"yes":true,"none":null,)"
                      R"("list":[1,"two",[false]],"map":{"a":{"b":2}}})";
    span.events = {{1'700'000'000'500'000'000, "first token", R"({"n":1})"}};
    span.links = {{kTrace, "0000000000000001", R"({"why":"retry"})"}};
    const auto request = parse_otlp_traces_protobuf(
        encode_spans({{ForwardedSource{"app", R"({"host.name":"h"})", "lib"}, {span}},
                      {ForwardedSource{"unused", R"({"service.name":"own"})", ""}, {ForwardedSpan{}}}}));
    ASSERT_TRUE(request) << request.error().message;
    ASSERT_EQ(request->groups.size(), 2u);
    const SpanGroup& group = request->groups[0];
    EXPECT_EQ(shown(group.resource), R"(host.name="h";service.name="app";)");
    EXPECT_EQ(group.scope, "lib");
    EXPECT_EQ(shown(request->groups[1].resource), R"(service.name="own";)");
    ASSERT_EQ(group.spans.size(), 1u);
    const ReceivedSpan& got = group.spans[0];
    EXPECT_EQ(got.trace_id, span.trace_id);
    EXPECT_EQ(got.span_id, span.span_id);
    EXPECT_EQ(got.parent_span_id, span.parent_span_id);
    EXPECT_EQ(got.name, span.name);
    EXPECT_EQ(got.kind, ReceivedKind::Client);
    EXPECT_EQ(got.start, 1'700'000'000'000'000'001u);
    EXPECT_EQ(got.end, 1'700'000'001'000'000'000u);
    EXPECT_TRUE(got.error);
    EXPECT_EQ(got.status_message, "out of memory");
    EXPECT_EQ(shown(got.attributes),
              R"(text="a\"b";n=-5;big=18446744073709551616;x=1.5;yes=true;none=null;list=[1,"two",[false]];)"
              R"(map={"a":{"b":2}};)");
    ASSERT_EQ(got.events.size(), 1u);
    EXPECT_EQ(got.events[0].time, 1'700'000'000'500'000'000u);
    EXPECT_EQ(got.events[0].name + shown(got.events[0].attributes), "first tokenn=1;");
    ASSERT_EQ(got.links.size(), 1u);
    EXPECT_EQ(got.links[0].trace_id + got.links[0].span_id, std::string(kTrace) + "0000000000000001");
    EXPECT_EQ(shown(got.links[0].attributes), R"(why="retry";)");
}

TEST(OtlpForward, WhatIsForEverySourceReplacesNothing) {
    const auto request =
        parse_otlp_traces_protobuf(encode_spans({{ForwardedSource{"app", R"({"zone":"own"})", ""}, {ForwardedSpan{}}}},
                                                {{"zone", "all"}, {"cluster", "eu"}, {"service.name", "all"}}));
    ASSERT_TRUE(request);
    EXPECT_EQ(shown(request->groups.at(0).resource),
              R"(zone="own";service.name="app";cluster="eu";service.name="all";)");
}

TEST(OtlpForward, KindsAreTheProtocols) {
    const auto kind = [](const char* name) {
        ForwardedSpan span;
        span.kind = name;
        return parse_otlp_traces_protobuf(encode_spans({{ForwardedSource{}, {span}}}))->groups[0].spans[0].kind;
    };
    EXPECT_EQ(kind("internal"), ReceivedKind::Internal);
    EXPECT_EQ(kind("server"), ReceivedKind::Server);
    EXPECT_EQ(kind("client"), ReceivedKind::Client);
    EXPECT_EQ(kind("producer"), ReceivedKind::Producer);
    EXPECT_EQ(kind("consumer"), ReceivedKind::Consumer);
    EXPECT_EQ(kind("other"), ReceivedKind::Internal);
}

TEST(OtlpForward, LogsKeepEverything) {
    ForwardedLog log;
    log.time_ns = 1'700'000'000'000'000'001;
    log.observed_ns = 1'700'000'000'000'000'002;
    log.severity = 17;
    log.severity_text = "ERROR";
    log.body = "CUDA out of memory\nat line 7";
    log.attributes = R"({"gpu":3})";
    log.more = R"({"stoker.log.source":"file"})";
    log.trace_id = kTrace;
    log.span_id = kSpan;
    ForwardedLog plain;
    plain.body = "x";
    const auto request = parse_logs_protobuf(encode_logs({{ForwardedSource{"vllm", "", ""}, {log, plain}}}));
    ASSERT_TRUE(request) << request.error().message;
    ASSERT_EQ(request->resources.size(), 1u);
    EXPECT_EQ(shown(request->resources[0].attributes), "service.name=vllm;");
    const auto& records = request->resources[0].scopes.at(0).records;
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0].time, 1'700'000'000'000'000'001u);
    EXPECT_EQ(records[0].observed, 1'700'000'000'000'000'002u);
    EXPECT_EQ(records[0].severity, 17);
    EXPECT_EQ(records[0].severity_text, "ERROR");
    EXPECT_EQ(records[0].body, log.body);
    EXPECT_EQ(shown(records[0].attributes), "gpu=3;stoker.log.source=file;");
    EXPECT_EQ(records[0].trace_id, kTrace);
    EXPECT_EQ(records[0].span_id, kSpan);
    EXPECT_EQ(records[1].body, "x");
    EXPECT_TRUE(records[1].trace_id.empty());
}

TEST(OtlpForward, JsonThatIsNoneIsEmpty) {
    for (const char* json : {"", "{", "[1]", "7", "{\"a\":}"}) {
        ForwardedSpan span;
        span.attributes = json;
        const auto request = parse_otlp_traces_protobuf(encode_spans({{ForwardedSource{"s", json, ""}, {span}}}));
        ASSERT_TRUE(request);
        EXPECT_TRUE(request->groups.at(0).spans.at(0).attributes.empty()) << json;
        EXPECT_EQ(shown(request->groups[0].resource), R"(service.name="s";)") << json;
    }
}

TEST(OtlpForward, DeepValuesEnd) {
    std::string deep = "1";
    for (int i = 0; i < 200; ++i) deep = "[" + deep + "]";
    ForwardedSpan span;
    span.attributes = R"({"a":)" + deep + "}";
    const std::string encoded = encode_spans({{ForwardedSource{}, {span}}});
    EXPECT_LT(encoded.size(), 400u);
}

}  // namespace
}  // namespace stoker::wire::otlp
