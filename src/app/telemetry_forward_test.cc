#include "app/telemetry_forward.h"

#include <gtest/gtest.h>

#include "records/telemetry.h"
#include "wire/otlp_logs.h"
#include "wire/received_spans.h"

namespace stoker::app {
namespace {

journal::Record record(std::uint64_t sequence, std::string payload) {
    return {.sequence = sequence, .time = {}, .kind = journal::Kind::Spans, .payload = std::move(payload)};
}

records::SpanRow span(const std::string& service, const std::string& name) {
    records::SpanRow row;
    row.trace_id = "0af7651916cd43dd8448eb211c80319c";
    row.span_id = "b7ad6b7169203331";
    row.name = name;
    row.kind = "server";
    row.service = service;
    row.scope = "lib";
    row.format = "otlp";
    row.start_ns = 1'700'000'000'000'000'000;
    row.duration_ns = 1'000;
    row.attributes = R"({"n":1})";
    row.resource = R"({"service.name":")" + service + "\"}";
    row.events = R"([{"time_ns":1700000000000000500,"name":"e","attributes":{"a":true}}])";
    row.links = R"([{"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"0000000000000007","attributes":{}}])";
    return row;
}

TEST(TelemetryForward, SpansOfOneSourceStandTogether) {
    const std::vector<records::SpanRow> first = {span("a", "one"), span("b", "two")};
    const std::vector<records::SpanRow> second = {span("a", "three")};
    const std::vector<journal::Record> records = {record(1, records::to_json(first)), record(2, "no JSON"),
                                                  record(3, records::to_json(second))};
    const auto batch = otlp_spans(records, {{"cluster", "eu"}});
    EXPECT_EQ(batch.items, 3u);
    EXPECT_EQ(batch.records, 3u);
    EXPECT_EQ(batch.unreadable, 1u);
    const auto request = wire::parse_otlp_traces_protobuf(batch.body);
    ASSERT_TRUE(request) << request.error().message;
    ASSERT_EQ(request->groups.size(), 2u);
    const wire::SpanGroup& a = request->groups[0];
    EXPECT_EQ(a.resource, (wire::JsonAttributes{{"service.name", "\"a\""}, {"cluster", "\"eu\""}}));
    EXPECT_EQ(a.scope, "lib");
    ASSERT_EQ(a.spans.size(), 2u);
    EXPECT_EQ(a.spans[1].name, "three");
    EXPECT_EQ(a.spans[0].end, 1'700'000'000'000'001'000u);
    EXPECT_EQ(a.spans[0].kind, wire::ReceivedKind::Server);
    EXPECT_EQ(a.spans[0].attributes, (wire::JsonAttributes{{"n", "1"}}));
    ASSERT_EQ(a.spans[0].events.size(), 1u);
    EXPECT_EQ(a.spans[0].events[0].time, 1'700'000'000'000'000'500u);
    EXPECT_EQ(a.spans[0].events[0].attributes, (wire::JsonAttributes{{"a", "true"}}));
    ASSERT_EQ(a.spans[0].links.size(), 1u);
    EXPECT_EQ(a.spans[0].links[0].span_id, "0000000000000007");
}

TEST(TelemetryForward, LinesSayWhereTheyAreFrom) {
    records::LogRow row;
    row.time_ns = 5;
    row.observed_ns = 6;
    row.severity = 17;
    row.body = "CUDA out of memory";
    row.service = "vllm";
    row.source = "file";
    row.stream = "/var/log/vllm.log";
    row.signature = "cuda_out_of_memory";
    records::LogRow other = row;
    other.source = "otlp";
    other.stream.clear();
    other.signature.clear();
    const std::vector<records::LogRow> rows = {row, other};
    const std::vector<journal::Record> records = {record(1, records::to_json(rows))};
    const auto batch = otlp_logs(records, {});
    EXPECT_EQ(batch.items, 2u);
    const auto request = wire::otlp::parse_logs_protobuf(batch.body);
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(request->resources.at(0).attributes, (wire::otlp::Attributes{{"service.name", "vllm"}}));
    const auto& lines = request->resources[0].scopes.at(0).records;
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0].attributes, (wire::otlp::Attributes{{"stoker.log.signature", "cuda_out_of_memory"},
                                                           {"stoker.log.source", "file"},
                                                           {"stoker.log.stream", "/var/log/vllm.log"}}));
    EXPECT_TRUE(lines[1].attributes.empty());
    EXPECT_EQ(lines[0].body, row.body);
    EXPECT_EQ(lines[0].severity, 17);
}

TEST(TelemetryForward, ARequestEndsAfterAFewThousandRows) {
    const std::vector<records::SpanRow> many(3'000, span("a", "x"));
    const std::vector<journal::Record> records(4, record(1, records::to_json(many)));
    const auto batch = otlp_spans(records, {});
    EXPECT_EQ(batch.records, 2u);
    EXPECT_EQ(batch.items, 6'000u);
    EXPECT_EQ(otlp_spans({}, {}).records, 0u);
}

}  // namespace
}  // namespace stoker::app
