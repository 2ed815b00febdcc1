#include "wire/received_spans.h"

#include <gtest/gtest.h>

#include <protozero/pbf_writer.hpp>

namespace stoker::wire {
namespace {

using protozero::pbf_writer;

constexpr const char* kTraceId = "0af7651916cd43dd8448eb211c80319c";

std::string bytes(std::string_view hex) {
    std::string out;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    }
    return out;
}

std::string message(std::uint32_t field, const std::string& content) {
    std::string out;
    pbf_writer(out).add_message(field, content);
    return out;
}

std::string attribute(std::uint32_t field, const std::string& key, const std::string& value) {
    std::string pair;
    pbf_writer writer(pair);
    writer.add_string(1, key);
    writer.add_message(2, value);
    return message(field, pair);
}

std::string text_value(const std::string& text) {
    std::string out;
    pbf_writer(out).add_string(1, text);
    return out;
}

std::string double_value(double number) {
    std::string out;
    pbf_writer(out).add_double(4, number);
    return out;
}

std::string protobuf_request() {
    std::string event;
    pbf_writer event_writer(event);
    event_writer.add_fixed64(1, 1'700'000'000'000'000'005);
    event_writer.add_string(2, "first token");
    std::string link;
    pbf_writer link_writer(link);
    link_writer.add_bytes(1, bytes(kTraceId));
    link_writer.add_bytes(2, bytes("b7ad6b7169203332"));
    std::string status;
    pbf_writer status_writer(status);
    status_writer.add_string(2, "out of memory");
    status_writer.add_enum(3, 2);
    std::string span;
    pbf_writer writer(span);
    writer.add_bytes(1, bytes(kTraceId));
    writer.add_bytes(2, bytes("b7ad6b7169203331"));
    writer.add_bytes(4, bytes("00f067aa0ba902b7"));
    writer.add_string(5, "chat tiny");
    writer.add_enum(6, 3);
    writer.add_fixed64(7, 1'700'000'000'000'000'000);
    writer.add_fixed64(8, 1'700'000'001'000'000'000);
    span += attribute(9, "model", text_value("t\"iny")) + attribute(9, "x", double_value(1.5)) +
            attribute(9, "nan", double_value(std::numeric_limits<double>::quiet_NaN())) + message(11, event) +
            message(13, link) + message(15, status);
    std::string scope;
    pbf_writer(scope).add_string(1, "lib");
    const std::string scope_spans = message(1, scope) + message(2, span);
    // The resource behind the spans: any order is protobuf.
    const std::string resource_spans =
        message(2, scope_spans) + message(1, attribute(1, "service.name", text_value("app")));
    return message(1, resource_spans);
}

constexpr const char* kJson = R"({"resourceSpans":[{"scopeSpans":[{"scope":{"name":"lib"},"spans":[
    {"traceId":"0AF7651916CD43DD8448EB211C80319C","spanId":"b7ad6b7169203331","parentSpanId":"00f067aa0ba902b7",
     "name":"chat tiny","kind":3,"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":1700000001000000000,
     "attributes":[{"key":"model","value":{"stringValue":"t\"iny"}},{"key":"x","value":{"doubleValue":1.5}},
                   {"key":"nan","value":{"doubleValue":"NaN"}}],
     "events":[{"timeUnixNano":"1700000000000000005","name":"first token"}],
     "links":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203332"}],
     "status":{"code":2,"message":"out of memory"},"unknown":[{}]}]}],
    "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"app"}}]}}]})";

void expect_the_span(const Result<SpansRequest>& request) {
    ASSERT_TRUE(request) << request.error().message;
    ASSERT_EQ(request->groups.size(), 1u);
    const SpanGroup& group = request->groups[0];
    EXPECT_EQ(group.resource, (JsonAttributes{{"service.name", R"("app")"}}));
    EXPECT_EQ(group.scope, "lib");
    ASSERT_EQ(group.spans.size(), 1u);
    const ReceivedSpan& span = group.spans[0];
    EXPECT_EQ(span.trace_id, kTraceId);
    EXPECT_EQ(span.span_id, "b7ad6b7169203331");
    EXPECT_EQ(span.parent_span_id, "00f067aa0ba902b7");
    EXPECT_EQ(span.name, "chat tiny");
    EXPECT_EQ(span.kind, ReceivedKind::Client);
    EXPECT_EQ(span.start, 1'700'000'000'000'000'000u);
    EXPECT_EQ(span.end, 1'700'000'001'000'000'000u);
    EXPECT_EQ(span.attributes, (JsonAttributes{{"model", R"("t\"iny")"}, {"x", "1.5"}, {"nan", R"("NaN")"}}));
    ASSERT_EQ(span.events.size(), 1u);
    EXPECT_EQ(span.events[0].time, 1'700'000'000'000'000'005u);
    ASSERT_EQ(span.links.size(), 1u);
    EXPECT_EQ(span.links[0].span_id, "b7ad6b7169203332");
    EXPECT_TRUE(span.error);
    EXPECT_EQ(span.status_message, "out of memory");
}

TEST(OtlpTraces, ReadsProtobuf) {
    expect_the_span(parse_otlp_traces_protobuf(protobuf_request()));
}

TEST(OtlpTraces, ReadsJson) {
    expect_the_span(parse_otlp_traces_json(kJson));
}

TEST(OtlpTraces, IdsOfAnotherLengthAreNone) {
    const auto request = parse_otlp_traces_json(
        R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7","spanId":"0000000000000000",
            "parentSpanId":"zzzzzzzzzzzzzzzz","kind":"SPAN_KIND_SERVER","status":{"code":"STATUS_CODE_ERROR"}}]}]}]})");
    ASSERT_TRUE(request);
    const ReceivedSpan& span = request->groups[0].spans[0];
    EXPECT_EQ(span.trace_id, "");
    EXPECT_EQ(span.span_id, "");
    EXPECT_EQ(span.parent_span_id, "");
    EXPECT_EQ(span.kind, ReceivedKind::Server);
    EXPECT_TRUE(span.error);
}

TEST(OtlpTraces, RefusesWhatIsNoRequest) {
    for (const char* text : {"", "[]", "{", R"({"resourceSpans":5})", R"({"resourceSpans":[{"scopeSpans":[5]}]})"}) {
        EXPECT_FALSE(parse_otlp_traces_json(text)) << text;
    }
    EXPECT_FALSE(parse_otlp_traces_protobuf("\x0a\xff"));
    const auto limited = parse_otlp_traces_json(kJson, {.max_memory = 100});
    ASSERT_FALSE(limited);
    EXPECT_EQ(limited.error().code, Errc::ResourceExhausted);
}

constexpr const char* kZipkin = R"([{"traceId":"463ac35c9f6413ad","id":"72485a3953bb6124","parentId":"1","name":"get",
    "kind":"CLIENT","timestamp":1700000000000000,"duration":207000,"localEndpoint":{"serviceName":"app","port":80},
    "remoteEndpoint":{"serviceName":"stoker","ipv4":"10.0.0.1","port":8700},
    "annotations":[{"timestamp":1700000000000005,"value":"foo"}],"tags":{"http.path":"/api","error":"timeout"},
    "shared":true},{"traceId":"463ac35c9f6413ad","id":"1"}])";

TEST(Zipkin, ReadsJson) {
    const auto request = parse_zipkin_json(kZipkin);
    ASSERT_TRUE(request) << request.error().message;
    ASSERT_EQ(request->groups.size(), 2u);
    EXPECT_EQ(request->groups[0].resource, (JsonAttributes{{"service.name", R"("app")"}, {"service.port", "80"}}));
    const ReceivedSpan& span = request->groups[0].spans[0];
    EXPECT_EQ(span.trace_id, "0000000000000000463ac35c9f6413ad");
    EXPECT_EQ(span.span_id, "72485a3953bb6124");
    EXPECT_EQ(span.parent_span_id, "0000000000000001");
    EXPECT_EQ(span.start, 1'700'000'000'000'000'000u);
    EXPECT_EQ(span.end - span.start, 207'000'000u);
    EXPECT_EQ(span.kind, ReceivedKind::Client);
    EXPECT_TRUE(span.error);
    EXPECT_EQ(span.status_message, "timeout");
    EXPECT_EQ(span.attributes, (JsonAttributes{{"peer.service", R"("stoker")"},
                                               {"network.peer.address", R"("10.0.0.1")"},
                                               {"network.peer.port", "8700"},
                                               {"http.path", R"("/api")"},
                                               {"error", R"("timeout")"},
                                               {"zipkin.shared", "true"}}));
    ASSERT_EQ(span.events.size(), 1u);
    EXPECT_EQ(span.events[0].name, "foo");
    EXPECT_EQ(request->groups[1].spans[0].start, 0u);
}

TEST(Zipkin, ReadsProtobuf) {
    std::string endpoint;
    pbf_writer(endpoint).add_string(1, "app");
    std::string tag;
    pbf_writer tag_writer(tag);
    tag_writer.add_string(1, "http.path");
    tag_writer.add_string(2, "/api");
    std::string span;
    pbf_writer writer(span);
    writer.add_bytes(1, bytes("463ac35c9f6413ad"));
    writer.add_bytes(3, bytes("72485a3953bb6124"));
    writer.add_enum(4, 2);
    writer.add_string(5, "get");
    writer.add_fixed64(6, 1'700'000'000'000'000);
    writer.add_uint64(7, 5);
    writer.add_message(8, endpoint);
    writer.add_message(11, tag);
    const auto request = parse_zipkin_protobuf(message(1, span));
    ASSERT_TRUE(request) << request.error().message;
    ASSERT_EQ(request->groups.size(), 1u);
    EXPECT_EQ(request->groups[0].resource, (JsonAttributes{{"service.name", R"("app")"}}));
    const ReceivedSpan& read = request->groups[0].spans[0];
    EXPECT_EQ(read.trace_id, "0000000000000000463ac35c9f6413ad");
    EXPECT_EQ(read.kind, ReceivedKind::Server);
    EXPECT_EQ(read.end - read.start, 5'000u);
    EXPECT_EQ(read.attributes, (JsonAttributes{{"http.path", R"("/api")"}}));
}

TEST(Zipkin, RefusesWhatIsNoList) {
    for (const char* text : {"", "{}", R"([5])", R"([{"timestamp":"soon"}])", R"([{"tags":{"a":5}}])"}) {
        EXPECT_FALSE(parse_zipkin_json(text)) << text;
    }
    const auto far = parse_zipkin_json(R"([{"timestamp":18446744073709551615,"duration":18446744073709551615}])");
    ASSERT_TRUE(far);
    EXPECT_EQ(far->groups[0].spans[0].end, UINT64_MAX);
}

}  // namespace
}  // namespace stoker::wire
