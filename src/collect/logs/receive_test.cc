#include "collect/logs/receive.h"

#include <gtest/gtest.h>

#include "collect/logs/severity.h"
#include "collect/logs/testing.h"
#include "wire/compression.h"

namespace stoker::collect {
namespace {

using testing::RememberingLogSink;

class LogReceiverTest : public ::testing::Test {
protected:
    static PushRequest request(std::string body, const std::string& type, const std::string& encoding = "") {
        PushRequest out;
        out.headers.add("Content-Type", type);
        if (!encoding.empty()) out.headers.add("Content-Encoding", encoding);
        out.body = std::move(body);
        out.now = from_millis(1'700'000'000'000);
        return out;
    }
    static std::string otlp(const std::string& records) {
        return R"({"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"chat"}}]},)"
               R"("scopeLogs":[{"scope":{"name":"lib"},"logRecords":[)" +
               records + "]}]}]}";
    }

    RememberingLogSink sink_;
    metrics::Registry registry_;
    LogReceiver receiver_{sink_, {.max_line_bytes = 100, .max_entry_bytes = 1000}, registry_};
};

TEST_F(LogReceiverTest, OtlpInEveryEncoding) {
    const std::string body = otlp(R"({"timeUnixNano":"5","severityText":"WARN","body":{"stringValue":"hello"}})");
    for (const std::string encoding : {"", "gzip", "zstd"}) {
        const std::string sent = encoding == "gzip"   ? wire::gzip_compress(body)
                                 : encoding == "zstd" ? wire::zstd_compress(body)
                                                      : body;
        const auto response = receiver_.receive_otlp(request(sent, "application/json", encoding));
        EXPECT_EQ(response.status, 200) << response.body;
        EXPECT_EQ(response.body, "{}");
        const auto entries = sink_.take();
        ASSERT_EQ(entries.size(), 1U);
        EXPECT_EQ(entries[0].body, "hello");
        EXPECT_EQ(entries[0].service, "chat");
        EXPECT_EQ(entries[0].stream, "lib");
        EXPECT_EQ(entries[0].severity, kWarn);
        EXPECT_EQ(entries[0].time_ns, 5);
        EXPECT_EQ(entries[0].observed_ns, 1'700'000'000'000'000'000);
    }
}

TEST_F(LogReceiverTest, WhatIsTooLargeIsSaid) {
    const std::string big = std::string(2000, 'x');
    const auto response = receiver_.receive_otlp(
        request(otlp(R"({"body":{"stringValue":"a"},"attributes":[{"key":"k","value":{"stringValue":")" + big +
                     R"("}}]},{"body":{"stringValue":")" + big + R"("}})"),
                "application/json"));
    EXPECT_EQ(response.status, 200);
    EXPECT_NE(response.body.find(R"("rejectedLogRecords":"1")"), std::string::npos) << response.body;
    const auto entries = sink_.take();
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].body, std::string(100, 'x'));
    EXPECT_EQ(entries[0].attributes, (LogEntry::Attributes{{"stoker.cut_bytes", "1900"}}));
}

TEST_F(LogReceiverTest, RefusalsSayWhetherToComeBack) {
    EXPECT_EQ(receiver_.receive_otlp(request("{", "application/json")).status, 400);
    EXPECT_EQ(receiver_.receive_otlp(request("x", "text/plain")).status, 415);
    EXPECT_EQ(receiver_.receive_otlp(request("x", "application/json", "gzip")).status, 400);
    sink_.set_full(true);
    const auto full = receiver_.receive_otlp(request(otlp(R"({"body":{"stringValue":"a"}})"), "application/json"));
    EXPECT_EQ(full.status, 503);
    EXPECT_TRUE(full.headers.get("Retry-After"));
    const std::string loki = R"({"streams":[{"stream":{"app":"x"},"values":[["1","a"]]}]})";
    EXPECT_EQ(receiver_.receive_loki(request(loki, "application/json")).status, 503);
    EXPECT_EQ(receiver_.receive_loki(request("{}", "application/json")).status, 400);
    EXPECT_EQ(receiver_.receive_loki(request("x", "application/x-protobuf")).status, 400);
}

TEST_F(LogReceiverTest, LokiLinesAreUnderstood) {
    const auto response =
        receiver_.receive_loki(request(R"({"streams":[{"stream":{"app":"vllm","level":"warn"},"values":[
            ["1700000000000000001","level=error msg=\"it broke\" code=7"],
            ["1700000000000000002","plain",{"trace_id":"0af7651916cd43dd8448eb211c80319c"}]]}]})",
                                       "application/json; charset=utf-8"));
    EXPECT_EQ(response.status, 204) << response.body;
    const auto entries = sink_.take();
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].body, "it broke");
    EXPECT_EQ(entries[0].service, "vllm");
    EXPECT_EQ(entries[0].stream, R"({app="vllm", level="warn"})");
    EXPECT_EQ(entries[0].severity, kWarn);  // The sender's own label counts before the line.
    EXPECT_EQ(entries[1].trace_id, "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(entries[1].time_ns, 1'700'000'000'000'000'002);
}

}  // namespace
}  // namespace stoker::collect
