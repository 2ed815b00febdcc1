#include "wire/otlp_logs.h"

#include <gtest/gtest.h>

#include <protozero/pbf_writer.hpp>

namespace stoker::wire::otlp {
namespace {

using protozero::pbf_writer;

std::string string_value(std::string_view text) {
    std::string value;
    pbf_writer(value).add_string(1, text.data(), text.size());
    return value;
}

std::string key_value(const std::string& key, std::string_view text) {
    std::string out;
    pbf_writer writer(out);
    writer.add_string(1, key);
    writer.add_message(2, string_value(text));
    return out;
}

std::string request_of(const std::string& record) {
    std::string resource;
    pbf_writer(resource).add_message(1, key_value("service.name", "vllm"));
    std::string scope;
    pbf_writer(scope).add_string(1, "lib");
    std::string scope_logs;
    pbf_writer scope_writer(scope_logs);
    scope_writer.add_message(1, scope);
    scope_writer.add_message(2, record);
    std::string resource_logs;
    pbf_writer resource_writer(resource_logs);
    resource_writer.add_message(1, resource);
    resource_writer.add_message(2, scope_logs);
    std::string request;
    pbf_writer(request).add_message(1, resource_logs);
    return request;
}

std::string protobuf_request() {
    std::string record;
    pbf_writer writer(record);
    writer.add_fixed64(1, 1'700'000'000'000'000'001ULL);
    writer.add_fixed64(11, 1'700'000'000'000'000'002ULL);
    writer.add_enum(2, 17);
    writer.add_string(3, "ERROR");
    writer.add_message(5, string_value("out of memory"));
    writer.add_message(6, key_value("gpu", "3"));
    writer.add_bytes(9, std::string(16, '\x1f'));
    writer.add_bytes(10, std::string(8, '\x2e'));
    writer.add_string(12, "crash");
    return request_of(record);
}

constexpr const char* kJson = R"({"resourceLogs":[{"resource":{"attributes":[
    {"key":"service.name","value":{"stringValue":"vllm"}}]},"scopeLogs":[{"scope":{"name":"lib"},"logRecords":[
    {"timeUnixNano":"1700000000000000001","observedTimeUnixNano":"1700000000000000002","severityNumber":17,
     "severityText":"ERROR","body":{"stringValue":"out of memory"},
     "attributes":[{"key":"gpu","value":{"stringValue":"3"}}],"eventName":"crash",
     "traceId":"1F1F1F1F1F1F1F1F1F1F1F1F1F1F1F1F","spanId":"2e2e2e2e2e2e2e2e","flags":1,"unknown":null}]}]}]})";

TEST(OtlpLogs, BothEncodingsSayTheSame) {
    for (const auto& request : {parse_logs_protobuf(protobuf_request()), parse_logs_json(kJson)}) {
        ASSERT_TRUE(request) << request.error().message;
        ASSERT_EQ(request->resources.size(), 1U);
        EXPECT_EQ(*find(request->resources[0].attributes, "service.name"), "vllm");
        ASSERT_EQ(request->resources[0].scopes.size(), 1U);
        EXPECT_EQ(request->resources[0].scopes[0].name, "lib");
        ASSERT_EQ(request->resources[0].scopes[0].records.size(), 1U);
        const LogRecord& record = request->resources[0].scopes[0].records[0];
        EXPECT_EQ(record.time, 1'700'000'000'000'000'001ULL);
        EXPECT_EQ(record.observed, 1'700'000'000'000'000'002ULL);
        EXPECT_EQ(record.severity, 17);
        EXPECT_EQ(record.severity_text, "ERROR");
        EXPECT_EQ(record.body, "out of memory");
        EXPECT_EQ(*find(record.attributes, "gpu"), "3");
        EXPECT_EQ(record.trace_id, "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f");
        EXPECT_EQ(record.span_id, "2e2e2e2e2e2e2e2e");
        EXPECT_EQ(record.event_name, "crash");
    }
}

TEST(OtlpLogs, SeverityByName) {
    const auto severity = [](const std::string& text) {
        const auto request =
            parse_logs_json(R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":)" + text + "}]}]}]}");
        return request ? request->resources[0].scopes[0].records[0].severity : -1;
    };
    EXPECT_EQ(severity("13"), 13);
    EXPECT_EQ(severity(R"("13")"), 13);
    EXPECT_EQ(severity(R"("SEVERITY_NUMBER_WARN")"), 13);
    EXPECT_EQ(severity(R"("SEVERITY_NUMBER_FATAL4")"), 24);
    EXPECT_EQ(severity(R"("SEVERITY_NUMBER_UNSPECIFIED")"), 0);
    EXPECT_EQ(severity(R"("loud")"), -1);
}

TEST(OtlpLogs, StructuredBodyIsJson) {
    const auto request = parse_logs_json(
        R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"kvlistValue":{"values":[
            {"key":"a","value":{"intValue":"1"}}]}}}]}]}]})");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->resources[0].scopes[0].records[0].body, R"({"a":1})");
}

TEST(OtlpLogs, RefusesWhatIsNone) {
    EXPECT_EQ(parse_logs_json("[]").error().code, Errc::InvalidArgument);
    EXPECT_EQ(parse_logs_json("{").error().code, Errc::InvalidArgument);
    EXPECT_EQ(parse_logs_protobuf("\x0a\x05x").error().code, Errc::InvalidArgument);
    EXPECT_EQ(parse_logs_protobuf(protobuf_request(), {.max_memory = 100}).error().code, Errc::ResourceExhausted);
}

}  // namespace
}  // namespace stoker::wire::otlp
