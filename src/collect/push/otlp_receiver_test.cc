#include "collect/push/otlp_receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <protozero/pbf_reader.hpp>

#include "collect/push/push_fixture.h"
#include "wire/compression.h"

namespace stoker::collect {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Contents = std::map<std::string, std::string>;

constexpr std::int64_t kNow = 1'700'000'000'000;

// Nanoseconds of so many seconds after kNow, as JSON has them.
std::string at(int seconds) {
    return "\"" + std::to_string(kNow / 1000 + seconds) + "000000000\"";
}

class OtlpReceiverTest : public ::testing::Test {
protected:
    // A request with one metric, given as the members of its JSON object.
    static std::string body(const std::string& metric, const std::string& resource = "") {
        return R"({"resourceMetrics":[{"resource":{"attributes":[)" + resource +
               R"(]},"scopeMetrics":[{"scope":{"name":"lib","version":"1"},"metrics":[{)" + metric + "}]}]}]}";
    }
    static std::string attribute(const std::string& key, const std::string& value) {
        return R"({"key":")" + key + R"(","value":{"stringValue":")" + value + R"("}})";
    }

    // Sends JSON and returns the answer, "200 {}" and so on.
    std::string send(const std::string& json) {
        auto response = receiver().receive(testing::push("/v1/metrics", "application/json", json, kNow));
        return std::to_string(response.status) + " " + response.body;
    }
    Contents stored() { return testing::contents(*store_); }

    OtlpReceiver& receiver() {
        if (!receiver_) receiver_ = std::make_unique<OtlpReceiver>(*store_, options_, registry_, &*store_);
        return *receiver_;
    }

    metrics::Registry registry_;
    tsdb::testing::TestStore store_{{.out_of_order_window = Duration{60'000}, .future_window = Duration{0}}};
    OtlpOptions options_;
    std::unique_ptr<OtlpReceiver> receiver_;
};

TEST_F(OtlpReceiverTest, CumulativeSumWithResource) {
    EXPECT_EQ(send(body(R"("name":"requests","unit":"1","description":"Requests.","sum":{"aggregationTemporality":2,
        "isMonotonic":true,"dataPoints":[{"attributes":[)" +
                            attribute("http.method", "GET") + R"(],"timeUnixNano":)" + at(1) + R"(,"asInt":"5"}]})",
                        attribute("service.name", "gw") + "," + attribute("service.namespace", "llm") + "," +
                            attribute("service.instance.id", "i1") + "," + attribute("host.name", "h"))),
              "200 {}");
    EXPECT_EQ(stored(),
              (Contents{{R"(requests_total{http_method="GET",instance="i1",job="llm/gw"})", "5@1700000001000"},
                        {R"(target_info{host_name="h",instance="i1",job="llm/gw"})", "1@1700000001000"}}));
    const auto metadata = store_->metadata("requests_total");
    ASSERT_EQ(metadata.size(), 1u);
    EXPECT_EQ(metadata[0].metadata, (tsdb::MetricMetadata{"counter", "Requests.", ""}));
}

TEST_F(OtlpReceiverTest, TargetInfoSpansThePoints) {
    std::string points;
    for (const int second : {0, 400}) {
        points += (points.empty() ? "" : ",") + (R"({"timeUnixNano":)" + at(second) + R"(,"asDouble":1})");
    }
    send(body(R"("name":"g","gauge":{"dataPoints":[)" + points + "]}",
              attribute("service.name", "gw") + "," + attribute("zone", "z")));
    EXPECT_EQ(stored()[R"(target_info{job="gw",zone="z"})"],
              "1@1700000000000 1@1700000100000 1@1700000250000 1@1700000400000");
}

TEST_F(OtlpReceiverTest, PromotedAttributesAndScopes) {
    options_.promote_resource_attributes = {"k8s.pod.name"};
    options_.promote_scope_metadata = true;
    send(body(R"("name":"g","gauge":{"dataPoints":[{"timeUnixNano":)" + at(0) + R"(,"asDouble":1.5}]})",
              attribute("k8s.pod.name", "p")));
    EXPECT_EQ(stored(),
              (Contents{{R"(g{k8s_pod_name="p",otel_scope_name="lib",otel_scope_version="1"})", "1.5@1700000000000"}}));
}

TEST_F(OtlpReceiverTest, CollidingAttributesAreJoined) {
    send(body(R"("name":"g","gauge":{"dataPoints":[{"attributes":[)" + attribute("a_b", "2") + "," +
              attribute("a.b", "1") + R"(],"timeUnixNano":)" + at(0) + R"(,"asDouble":1}]})"));
    EXPECT_EQ(stored(), (Contents{{R"(g{a_b="1;2"})", "1@1700000000000"}}));
}

TEST_F(OtlpReceiverTest, ClassicHistogramWithExemplar) {
    EXPECT_EQ(
        send(body(R"("name":"d","unit":"s","histogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":)" +
                  at(0) + R"(,"count":"4","sum":2.5,"explicitBounds":[0.5,1],"bucketCounts":["1","2","1"],
                        "exemplars":[{"timeUnixNano":)" +
                  at(0) + R"(,"asDouble":0.7,"traceId":"5b8efff798038103d269b633813fc60c",
                        "filteredAttributes":[{"key":"user","value":{"stringValue":"u"}}]}]}]})")),
        "200 {}");
    EXPECT_EQ(stored(), (Contents{{R"(d_seconds_bucket{le="0.5"})", "1@1700000000000"},
                                  {R"(d_seconds_bucket{le="1"})", "3@1700000000000"},
                                  {R"(d_seconds_bucket{le="+Inf"})", "4@1700000000000"},
                                  {"d_seconds_sum", "2.5@1700000000000"},
                                  {"d_seconds_count", "4@1700000000000"}}));
    auto exemplars = store_->exemplars({{{"__name__", tsdb::Matcher::Op::Equal, "d_seconds_bucket"}}}, kNow, kNow);
    ASSERT_TRUE(exemplars.has_value());
    ASSERT_EQ(exemplars->size(), 1u);
    EXPECT_EQ((*exemplars)[0].series.get("le"), "1");
    EXPECT_EQ((*exemplars)[0].exemplars.at(0).labels.text(),
              R"({trace_id="5b8efff798038103d269b633813fc60c",user="u"})");
}

TEST_F(OtlpReceiverTest, HistogramWithCustomBucketsByChoice) {
    options_.custom_bucket_histograms = true;
    send(body(R"("name":"d","histogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":)" + at(0) +
              R"(,"count":"3","sum":2.5,"explicitBounds":[0.5],"bucketCounts":["1","2"]}]})"));
    EXPECT_EQ(stored(), (Contents{{"d", "{schema:-53 count:3 sum:2.5 zero:0 p0:1 p1:2 b0.5}@1700000000000"}}));
}

TEST_F(OtlpReceiverTest, ExponentialHistogramIsNative) {
    send(body(R"("name":"e","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":)" +
              at(0) +
              R"(,"count":"3","sum":5,"scale":2,"zeroCount":"1","positive":{"offset":0,"bucketCounts":["1","1"]}}]})"));
    EXPECT_EQ(stored(), (Contents{{"e", "{schema:2 count:3 sum:5 zero:1 p1:1 p2:1}@1700000000000"}}));
}

TEST_F(OtlpReceiverTest, Summary) {
    send(body(R"("name":"s","summary":{"dataPoints":[{"timeUnixNano":)" + at(0) +
              R"(,"count":"2","sum":3,"quantileValues":[{"quantile":0.99,"value":2.5}]}]})"));
    EXPECT_EQ(stored(), (Contents{{R"(s{quantile="0.99"})", "2.5@1700000000000"},
                                  {"s_sum", "3@1700000000000"},
                                  {"s_count", "2@1700000000000"}}));
}

TEST_F(OtlpReceiverTest, DeltasAddUp) {
    const auto delta = [&](int from, int to, int value) {
        return send(body(R"("name":"c","sum":{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{
            "startTimeUnixNano":)" +
                         at(from) + R"(,"timeUnixNano":)" + at(to) + R"(,"asInt":)" + std::to_string(value) + "}]}"));
    };
    EXPECT_EQ(delta(0, 10, 5), "200 {}");
    EXPECT_EQ(delta(10, 20, 7), "200 {}");
    EXPECT_THAT(delta(10, 20, 7), HasSubstr("rejectedDataPoints\":\"1\""));
    EXPECT_EQ(delta(20, 30, 1), "200 {}");
    // The start of the first delta is known, so its 5 are an increase from zero there.
    EXPECT_EQ(stored(), (Contents{{"c_total", "0@1700000000000 5@1700000010000 12@1700000020000 13@1700000030000"}}));
}

TEST_F(OtlpReceiverTest, DeltaHistogramsAddUp) {
    const auto delta = [&](const char* kind, int to, const std::string& rest) {
        return send(body(R"("name":"h","unit":"","description":"",")" + std::string(kind) +
                         R"(":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":)" + at(to) + "," + rest +
                         "}]}"));
    };
    delta("histogram", 10, R"("count":"2","sum":1,"explicitBounds":[1],"bucketCounts":["1","1"])");
    delta("histogram", 20, R"("count":"1","sum":1,"explicitBounds":[1],"bucketCounts":["1","0"])");
    EXPECT_EQ(stored()[R"(h_bucket{le="1"})"], "1@1700000010000 2@1700000020000");
    EXPECT_EQ(stored()["h_count"], "2@1700000010000 3@1700000020000");
    receiver_.reset();
    store_.reopen();
    delta("histogram", 30, R"("count":"4","sum":2,"explicitBounds":[1],"bucketCounts":["1","3"])");
    EXPECT_EQ(stored()[R"(h_bucket{le="1"})"], "1@1700000010000 2@1700000020000 3@1700000030000");
    EXPECT_EQ(stored()[R"(h_bucket{le="+Inf"})"], "2@1700000010000 3@1700000020000 7@1700000030000");
    EXPECT_EQ(stored()["h_sum"], "1@1700000010000 2@1700000020000 4@1700000030000");
    receiver_.reset();
    delta("exponentialHistogram", 30, R"("count":"1","sum":1,"scale":1,"positive":{"bucketCounts":["1"]})");
    delta("exponentialHistogram", 40, R"("count":"1","sum":1,"scale":0,"positive":{"offset":1,"bucketCounts":["1"]})");
    EXPECT_EQ(stored()["h"],
              "{schema:1 count:1 sum:1 zero:0 p1:1}@1700000030000 "
              "{schema:0 count:2 sum:2 zero:0 p1:1 p2:1}@1700000040000");
    receiver_.reset();
    store_.reopen();
    delta("exponentialHistogram", 50, R"("count":"2","sum":9,"scale":0,"positive":{"offset":5,"bucketCounts":["2"]})");
    EXPECT_THAT(stored()["h"], HasSubstr("{schema:0 count:4 sum:11 zero:0 p1:1 p2:1 p6:2}@1700000050000"));
}

// What the process knew is gone, what the store has is not: neither a reset nor a repetition is made of that.
TEST_F(OtlpReceiverTest, DeltasGoOnAfterARestart) {
    const auto delta = [&](int from, int to, int value) {
        return send(body(R"("name":"c","sum":{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{
            "startTimeUnixNano":)" +
                         at(from) + R"(,"timeUnixNano":)" + at(to) + R"(,"asInt":)" + std::to_string(value) + "}]}"));
    };
    const auto restart = [&] {
        receiver_.reset();
        store_.reopen();
    };
    EXPECT_EQ(delta(0, 10, 5), "200 {}");
    restart();
    EXPECT_THAT(delta(0, 10, 5), HasSubstr("rejectedDataPoints\":\"1\"")) << "the sender did not hear the answer";
    EXPECT_EQ(delta(10, 20, 7), "200 {}");
    restart();
    EXPECT_EQ(delta(20, 30, 1), "200 {}");
    EXPECT_EQ(stored()["c_total"], "0@1700000000000 5@1700000010000 12@1700000020000 13@1700000030000");
    restart();
    EXPECT_EQ(delta(4000, 4010, 2), "200 {}") << "long after forget_after";
    EXPECT_THAT(stored()["c_total"], HasSubstr(" 0@1700004000000 2@1700004010000"));
}

TEST_F(OtlpReceiverTest, CustomBucketsGoOnAfterARestart) {
    options_.custom_bucket_histograms = true;
    for (const int second : {10, 20}) {
        EXPECT_EQ(
            send(body(R"("name":"d","histogram":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":)" +
                      at(second) + R"(,"count":"3","sum":2.5,"explicitBounds":[0.5],"bucketCounts":["1","2"]}]})")),
            "200 {}");
        receiver_.reset();
        store_.reopen();
    }
    EXPECT_THAT(stored()["d"], HasSubstr("{schema:-53 count:6 sum:5 zero:0 p0:2 p1:4 b0.5}@1700000020000"));
}

TEST_F(OtlpReceiverTest, TooManyDeltaSeriesAreRejectedByName) {
    options_.deltas.max_series = 1;
    std::string points;
    for (const char* who : {"a", "b"}) {
        points += (points.empty() ? "" : ",") +
                  (R"({"attributes":[)" + attribute("w", who) + R"(],"timeUnixNano":)" + at(1) + R"(,"asInt":1})");
    }
    EXPECT_THAT(send(body(R"("name":"c","sum":{"aggregationTemporality":1,"dataPoints":[)" + points + "]}")),
                HasSubstr("more than 1 series with delta temporality"));
}

TEST_F(OtlpReceiverTest, NoRecordedValueEndsTheSeries) {
    send(body(R"("name":"g","gauge":{"dataPoints":[{"timeUnixNano":)" + at(0) + R"(,"asDouble":1},{"timeUnixNano":)" +
              at(5) + R"(,"flags":1}]})"));
    EXPECT_EQ(stored(), (Contents{{"g", "1@1700000000000 stale@1700000005000"}}));
}

TEST_F(OtlpReceiverTest, OneBadPointDoesNotSpoilTheOthers) {
    const std::string answer = send(body(R"("name":"g","gauge":{"dataPoints":[{"timeUnixNano":)" + at(0) +
                                         R"(,"asDouble":1},{"timeUnixNano":)" + at(1) +
                                         R"(},{"asDouble":2},{"timeUnixNano":)" + at(2) + R"(,"asDouble":3}]})"));
    EXPECT_EQ(answer, R"(200 {"partialSuccess":{"rejectedDataPoints":"2","errorMessage":)"
                      R"("g: a point has no value; g: a point has no time"}})");
    EXPECT_EQ(stored(), (Contents{{"g", "1@1700000000000 3@1700000002000"}}));
}

TEST_F(OtlpReceiverTest, WhatTheStoreRefusesIsRejected) {
    const auto gauge = [&](int second, int value) {
        return send(body(R"("name":"g","gauge":{"dataPoints":[{"timeUnixNano":)" + at(second) + R"(,"asInt":)" +
                         std::to_string(value) + "}]}"));
    };
    EXPECT_EQ(gauge(10, 1), "200 {}");
    EXPECT_EQ(gauge(10, 1), "200 {}") << "the same again is no fault";
    EXPECT_THAT(gauge(-100, 1), HasSubstr("rejectedDataPoints\":\"1\""));
}

TEST_F(OtlpReceiverTest, MetricsWithoutSenseAreExplained) {
    EXPECT_THAT(send(body(R"("name":"x","sum":{"dataPoints":[{"timeUnixNano":)" + at(0) + R"(,"asInt":1}]})")),
                HasSubstr("it says neither delta nor cumulative"));
    EXPECT_THAT(send(body(R"("name":"x")")), HasSubstr("it has no data of a kind known here"));
    EXPECT_THAT(send(body(R"("name":"e","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{"scale":-9,
        "timeUnixNano":)" +
                          at(0) + "}]}")),
                HasSubstr("the scale -9"));
    EXPECT_THAT(stored(), IsEmpty());
}

TEST_F(OtlpReceiverTest, GarbageAnswersInTheSameEncoding) {
    EXPECT_THAT(send("{"), HasSubstr(R"(400 {"code":3,"message":"OTLP metrics: not JSON)"));
    auto response = receiver().receive(testing::push("/v1/metrics", "application/x-protobuf", "garbage", kNow));
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.headers.get("content-type"), "application/x-protobuf");
    protozero::pbf_reader status(response.body);
    ASSERT_TRUE(status.next(1));
    EXPECT_EQ(status.get_int32(), 3);
    EXPECT_EQ(receiver().receive(testing::push("/v1/metrics", "text/plain", "x", kNow)).status, 415);
}

TEST_F(OtlpReceiverTest, CompressedBodies) {
    auto request = testing::push("/v1/metrics", "application/json; charset=utf-8", wire::gzip_compress("{}"), kNow);
    request.headers.add("Content-Encoding", "gzip");
    EXPECT_EQ(receiver().receive(request).status, 200);
    request.body = "no gzip";
    EXPECT_EQ(receiver().receive(request).status, 400);
    options_.max_body_bytes = 1000;
    receiver_.reset();
    request.body = wire::gzip_compress(std::string(2000, ' '));
    EXPECT_EQ(receiver().receive(request).status, 413);
}

}  // namespace
}  // namespace stoker::collect
