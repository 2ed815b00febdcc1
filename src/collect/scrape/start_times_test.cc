// When a counter began, from each protocol that can say so to the zero that the store keeps there.
#include <gtest/gtest.h>

#include <protozero/pbf_writer.hpp>

#include "collect/push/otlp_receiver.h"
#include "collect/push/push_fixture.h"
#include "collect/push/remote_write_convert.h"
#include "collect/push/remote_write_receiver.h"
#include "collect/scrape/scrape.h"
#include "wire/compression.h"
#include "wire/remote_write_encoder.h"

namespace stoker::collect {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;
constexpr std::int64_t kBegan = kNow - 30'000;

class StartTimesTest : public ::testing::Test {
protected:
    // The samples of one series, what scrapes add left out.
    std::string stored(const std::string& name) {
        for (const auto& [series, samples] : testing::contents(*store_)) {
            if (series == name || series.starts_with(name + "{")) return samples;
        }
        return "absent";
    }
    void scrape(const std::string& page, PageFormat format) {
        Scrape scrape(SampleBatch::Pairs{{"job", "j"}});
        Scraped out;
        const auto read = scrape.scraped(page, format, from_millis(kNow), ElapsedTime{0}, out);
        ASSERT_TRUE(read.has_value()) << read.error().message;
        store_.append(out.samples);
    }
    static std::string counted(const std::string& value) {
        return "0@" + std::to_string(kBegan) + " " + value + "@" + std::to_string(kNow);
    }
    static std::string native_counted() {
        return "{schema:1 count:0 sum:0 zero:0 p1:0}@" + std::to_string(kBegan) +
               " {schema:1 count:2 sum:3 zero:0 p1:2}@" + std::to_string(kNow);
    }
    static wire::NativeHistogram native(std::int64_t start) {
        wire::NativeHistogram histogram;
        histogram.time = kNow;
        histogram.start_time = start;
        histogram.schema = 1;
        histogram.count = 2;
        histogram.sum = 3;
        histogram.positive_spans = {{1, 1}};
        histogram.positive = {2};
        return histogram;
    }

    metrics::Registry registry_;
    tsdb::testing::TestStore store_{{.future_window = Duration{0}}};
};

TEST_F(StartTimesTest, OpenMetricsCreated) {
    scrape(
        "# TYPE c counter\nc_total 5\nc_created 1699999970\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_count 2\n"
        "h_sum 3\nh_created 1699999970\n# EOF\n",
        PageFormat::OpenMetrics);
    EXPECT_EQ(stored("c_total"), counted("5"));
    EXPECT_EQ(stored("h_bucket"), counted("2"));
    EXPECT_EQ(stored("h_count"), counted("2"));
    EXPECT_EQ(stored("h_sum"), counted("3"));
    EXPECT_EQ(stored("c_created"), "absent");
}

TEST_F(StartTimesTest, ProtobufExposition) {
    using protozero::pbf_writer;
    std::string body;
    const auto family = [&](const char* name, int type, std::uint32_t field, std::uint32_t created, auto fill) {
        std::string message;
        {
            pbf_writer fields(message);
            fields.add_string(1, name);
            fields.add_enum(3, type);
            pbf_writer metric(fields, 4);
            pbf_writer value(metric, field);
            fill(value);
            pbf_writer time(value, created);
            time.add_int64(1, kBegan / 1000);
        }
        protozero::write_varint(std::back_inserter(body), message.size());
        body += message;
    };
    family("c_total", 0, 3, 3, [](pbf_writer& counter) { counter.add_double(1, 5); });
    family("h", 4, 7, 15, [](pbf_writer& histogram) {
        histogram.add_uint64(1, 2);
        histogram.add_double(2, 3);
        histogram.add_sint32(5, 1);
        {
            pbf_writer span(histogram, 12);
            span.add_sint32(1, 1);
            span.add_uint32(2, 1);
        }
        const std::int64_t deltas[] = {2};
        histogram.add_packed_sint64(13, std::begin(deltas), std::end(deltas));
    });
    scrape(body, PageFormat::Protobuf);
    EXPECT_EQ(stored("c_total"), counted("5"));
    EXPECT_EQ(stored("h"), native_counted());
}

TEST_F(StartTimesTest, RemoteWrite2) {
    RemoteWriteReceiver receiver(*store_, {}, registry_);
    wire::WriteRequestEncoder encoder(wire::RemoteWriteVersion::V2);
    const wire::WriteRequest::Sample sample{5, kNow, kBegan};
    const wire::NativeHistogram histogram = native(kBegan);
    encoder.add({.labels = {{"__name__", "c_total"}}, .samples = std::span(&sample, 1)});
    encoder.add({.labels = {{"__name__", "h"}}, .histograms = std::span(&histogram, 1)});
    auto push = testing::push("/api/v1/write",
                              std::string(wire::WriteRequestEncoder::content_type(wire::RemoteWriteVersion::V2)),
                              wire::snappy_compress(encoder.finish()), kNow);
    push.headers.add("Content-Encoding", "snappy");
    EXPECT_EQ(receiver.receive(push).status, 204);
    EXPECT_EQ(stored("c_total"), counted("5"));
    EXPECT_EQ(stored("h"), native_counted());
}

TEST_F(StartTimesTest, Otlp) {
    OtlpReceiver receiver(*store_, {}, registry_);
    const std::string times = R"("startTimeUnixNano":"1699999970000000000","timeUnixNano":"1700000000000000000",)";
    const std::string json =
        R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"c","sum":{"aggregationTemporality":2,)"
        R"("isMonotonic":true,"dataPoints":[{)" +
        times + R"("asInt":"5"}]}},{"name":"h","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{)" +
        times + R"("count":"2","sum":3,"scale":1,"positive":{"bucketCounts":["2"]}}]}}]}]}]})";
    EXPECT_EQ(receiver.receive(testing::push("/v1/metrics", "application/json", json, kNow)).body, "{}");
    EXPECT_EQ(stored("c_total"), counted("5"));
    EXPECT_EQ(stored("h"), native_counted());
}

}  // namespace
}  // namespace stoker::collect
