// Metrics out by OTLP: what samples become, and that none is lost on the way.
#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "outward/otlp_export.h"
#include "outward/otlp_samples.h"
#include "tsdb/querier.h"
#include "wire/compression.h"
#include "wire/otlp_encode.h"

namespace stoker::outward {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;
namespace otlp = wire::otlp;

const collect::FamilyBook kFamilies = {{"requests", {"counter", "All of them.", ""}},
                                       {"errors_total", {"counter", "", ""}},
                                       {"depth", {"gauge", "", "bytes"}},
                                       {"seconds", {"histogram", "", "seconds"}},
                                       {"size", {"summary", "", ""}}};

tsdb::Labels labels(const std::string& name, std::vector<tsdb::Labels::Pair> more = {}) {
    more.insert(more.end(), {{"__name__", name}, {"job", "api"}, {"instance", "a:1"}});
    return tsdb::Labels(std::move(more));
}

// What was added, encoded and decoded again.
otlp::MetricsRequest round_trip(OtlpSamples& samples) {
    const auto decoded = otlp::parse_protobuf(otlp::encode_metrics(samples.take()));
    EXPECT_TRUE(decoded) << (decoded ? "" : decoded.error().message);
    return decoded ? *decoded : otlp::MetricsRequest{};
}

TEST(OtlpSamples, CountersAndGauges) {
    OtlpSamples samples(kFamilies, {{"cluster", "x"}}, "1");
    samples.add(labels("requests_total", {{"code", "200"}}), 2'000, 5, 1'000);
    samples.add(labels("errors_total"), 2'000, 1, 0);
    samples.add(labels("unheard_of_total"), 2'000, 1, 0);
    samples.add(labels("depth"), 2'000, tsdb::stale_marker(), 0);
    const auto request = round_trip(samples);
    ASSERT_EQ(request.resources.size(), 1U);
    EXPECT_THAT(request.resources[0].attributes,
                ElementsAre(Pair("service.name", "api"), Pair("service.instance.id", "a:1"), Pair("cluster", "x")));
    const auto& metrics = request.resources[0].scopes.at(0).metrics;
    ASSERT_EQ(metrics.size(), 4U);
    EXPECT_EQ(metrics[0].name, "depth");
    EXPECT_EQ(metrics[0].kind, otlp::Kind::Gauge);
    EXPECT_EQ(metrics[0].unit, "bytes");
    EXPECT_TRUE(metrics[0].points.at(0).no_recorded_value());
    for (const std::size_t i : {1, 2, 3}) {
        EXPECT_EQ(metrics[i].kind, otlp::Kind::Sum) << metrics[i].name;
        EXPECT_TRUE(metrics[i].monotonic);
        EXPECT_EQ(metrics[i].temporality, otlp::Temporality::Cumulative);
    }
    EXPECT_EQ(metrics[2].name, "requests_total");
    EXPECT_EQ(metrics[2].description, "All of them.");
    const auto& point = metrics[2].points.at(0);
    EXPECT_THAT(point.attributes, ElementsAre(Pair("code", "200")));
    EXPECT_EQ(point.value, 5);
    EXPECT_EQ(point.time, 2'000'000'000U);
    EXPECT_EQ(point.start, 1'000'000'000U);
}

TEST(OtlpSamples, ClassicHistogramsAndSummariesAreOnePointAgain) {
    OtlpSamples samples(kFamilies, {}, "1");
    const auto bucket = [&](const char* le, double count) {
        samples.add(labels("seconds_bucket", {{"le", le}, {"model", "m"}}), 2'000, count, 0);
    };
    bucket("+Inf", 7);
    bucket("0.5", 3);
    bucket("10", 6);
    samples.add(labels("seconds_sum", {{"model", "m"}}), 2'000, 21.5, 0);
    samples.add(labels("seconds_count", {{"model", "m"}}), 2'000, 7, 0);
    samples.add(labels("size", {{"quantile", "0.9"}}), 2'000, 44, 0);
    samples.add(labels("size_sum"), 2'000, 100, 0);
    samples.add(labels("size_count"), 2'000, 3, 0);
    const auto request = round_trip(samples);
    const auto& metrics = request.resources.at(0).scopes.at(0).metrics;
    ASSERT_EQ(metrics.size(), 2U);
    ASSERT_EQ(metrics[0].kind, otlp::Kind::Histogram);
    ASSERT_EQ(metrics[0].points.size(), 1U);
    const auto& point = metrics[0].points[0];
    EXPECT_THAT(point.attributes, ElementsAre(Pair("model", "m")));
    EXPECT_THAT(point.bounds, ElementsAre(0.5, 10));
    EXPECT_THAT(point.bucket_counts, ElementsAre(3, 3, 1));
    EXPECT_EQ(point.count, 7U);
    EXPECT_EQ(point.sum, 21.5);
    ASSERT_EQ(metrics[1].kind, otlp::Kind::Summary);
    EXPECT_THAT(metrics[1].points.at(0).quantiles, ElementsAre(Pair(0.9, 44)));
    EXPECT_EQ(metrics[1].points[0].count, 3U);
}

TEST(OtlpSamples, NativeHistogramsAreExponential) {
    OtlpSamples samples(kFamilies, {}, "1");
    wire::NativeHistogram native;
    native.time = 2'000;
    native.schema = 2;
    native.count = 9;
    native.sum = 4;
    native.zero_count = 1;
    native.zero_threshold = 0.001;
    native.positive_spans = {{3, 2}, {2, 1}};
    native.positive = {1, 2, 5};
    EXPECT_TRUE(samples.add(labels("latency"), native));
    native.schema = -53;  // Custom bounds.
    EXPECT_FALSE(samples.add(labels("latency"), native));
    const auto request = round_trip(samples);
    const auto& metric = request.resources.at(0).scopes.at(0).metrics.at(0);
    ASSERT_EQ(metric.kind, otlp::Kind::ExponentialHistogram);
    const auto& point = metric.points.at(0);
    EXPECT_EQ(point.scale, 2);
    EXPECT_EQ(point.positive.offset, 2);
    EXPECT_THAT(point.positive.counts, ElementsAre(1, 2, 0, 0, 5));
    EXPECT_EQ(point.zero_count, 1U);
    EXPECT_EQ(point.count, 9U);
}

TEST(OtlpEncode, PartialSuccessIsRead) {
    EXPECT_EQ(otlp::parse_partial_success("").rejected, 0);
    const auto told = otlp::parse_partial_success(std::string("\x0a\x07\x08\x03\x12\x03old", 9));
    EXPECT_EQ(told.rejected, 3);
    EXPECT_EQ(told.message, "old");
    EXPECT_EQ(otlp::parse_partial_success("<html>not that</html>").rejected, 0);
    EXPECT_EQ(otlp::parse_partial_success("\x0a\x7f").rejected, 0);
}

struct OtlpExportTest : testing::Test {
    std::filesystem::path folder =
        std::filesystem::path(testing::TempDir()) / ("otlp_export" + std::to_string(getpid()));
    metrics::Registry registry;
    std::vector<int> answers;  // Then 200; 0: nobody is there.
    std::string body;          // Of 200.
    std::vector<double> seen;
    SteadyTime steady{1h};

    void SetUp() override { std::filesystem::remove_all(folder); }
    std::unique_ptr<OtlpExport> open() {
        OtlpExportOptions options;
        options.name = "x";
        options.endpoint = "http://h/v1/metrics";
        options.families = [] { return std::vector<tsdb::FamilyMetadata>{{"depth", {"gauge", "", ""}}}; };
        const auto post = [this](const std::string& url, const WebhookRequest& request) -> Result<net::Response> {
            EXPECT_EQ(url, "http://h/v1/metrics");
            int answer = 200;
            if (!answers.empty()) {
                answer = answers.front();
                answers.erase(answers.begin());
            }
            if (answer == 0) return Error{Errc::Unavailable, "refused"};
            if (answer == 200) {
                const auto plain = wire::decompress("gzip", request.body, 1 << 20);
                const auto decoded = otlp::parse_protobuf(plain ? *plain : "");
                EXPECT_TRUE(decoded);
                for (const auto& point : decoded->resources.at(0).scopes.at(0).metrics.at(0).points) {
                    seen.push_back(*point.value);
                }
            }
            return net::Response{answer, {}, body};
        };
        auto made = OtlpExport::open(options, folder.string(), post, registry);
        EXPECT_TRUE(made);
        return made ? *std::move(made) : nullptr;
    }
    void send(OtlpExport& to) {
        to.send(steady, [] { return false; });
        steady += 120s;
    }
    double count(const std::string& result) {
        return registry.counter("stoker_otlp_export_samples_total", "", {"export", "result"})
            .with({"x", result})
            .value();
    }
};

TEST_F(OtlpExportTest, NothingIsLostWhileTheReceiverIsAway) {
    {
        auto out = open();
        out->queue().append({{labels("depth"), {1'000, 1}}});
        answers = {0, 503};
        send(*out);
        send(*out);
        EXPECT_TRUE(seen.empty());
        out->queue().append({{labels("depth"), {2'000, 2}}});
    }
    auto out = open();
    send(*out);
    EXPECT_THAT(seen, ElementsAre(1, 2));
    send(*out);
    EXPECT_EQ(seen.size(), 2U);
    EXPECT_EQ(count("sent"), 2);
}

TEST_F(OtlpExportTest, WhatIsRefusedIsCountedAndDoesNotBlock) {
    auto out = open();
    out->queue().append({{labels("depth"), {1'000, 1}}});
    answers = {400};
    send(*out);
    EXPECT_EQ(count("rejected"), 1);
    out->queue().append({{labels("depth"), {2'000, 2}}, {labels("depth", {{"a", "b"}}), {2'000, 3}}});
    body = std::string("\x0a\x02\x08\x01", 4);
    send(*out);
    EXPECT_THAT(seen, ElementsAre(2, 3));
    EXPECT_EQ(count("rejected"), 2);
    EXPECT_EQ(count("sent"), 1);
}

}  // namespace
}  // namespace stoker::outward
