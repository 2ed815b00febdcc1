#include "api/federate_text.h"
#include "api/prometheus_fixture.h"
#include "base/text.h"
#include "collect/push/remote_write_convert.h"
#include "wire/prometheus_protobuf.h"

namespace stoker::api {
namespace {

class Federate : public PrometheusFixture {
protected:
    std::string text(const std::string& query, const std::string& accept = "") {
        ApiRequest request;
        request.accept = accept;
        return call("/federate" + query, request).body;
    }
};

TEST_F(Federate, TheNewestSampleOfEachSeries) {
    store.data.add({{"__name__", "up"}, {"job", "a"}, {"instance", "h:1"}}, {500'000, 0});
    store.data.add({{"__name__", "up"}, {"job", "a"}, {"instance", "h:1"}}, {590'000, 1});
    store.data.add({{"__name__", "a_total"}, {"path", "/\"\\\n"}}, {599'000, 1.5});
    EXPECT_EQ(text("?match[]=up&match[]={__name__=~'a.*|up'}"),
              "# TYPE a_total untyped\n"
              "a_total{path=\"/\\\"\\\\\\n\",instance=\"\"} 1.5 599000\n"
              "# TYPE up untyped\n"
              "up{instance=\"h:1\",job=\"a\"} 1 590000\n");
}

TEST_F(Federate, ExternalLabelsWhereThereAreNone) {
    services.external_labels = tsdb::Labels{{"site", "x"}, {"job", "ours"}};
    store.data.add({{"__name__", "up"}, {"job", "a"}, {"instance", "h:1"}}, {590'000, 1});
    EXPECT_EQ(text("?match[]=up"), "# TYPE up untyped\nup{instance=\"h:1\",job=\"a\",site=\"x\"} 1 590000\n");
}

TEST_F(Federate, NothingThatHasEnded) {
    store.data.add({{"__name__", "old"}}, {300'000, 1});  // Exactly as old as the lookback: no longer current.
    store.data.add({{"__name__", "ended"}}, {590'000, 1});
    store.data.add({{"__name__", "ended"}}, {595'000, tsdb::stale_marker()});
    store.data.add({{"__name__", "later"}}, {601'000, 1});
    EXPECT_EQ(text("?match[]={__name__=~'.%2B'}"), "");
    EXPECT_EQ(text(""), "");
}

TEST_F(Federate, NamesBeyondTheOldOnes) {
    store.data.add({{"__name__", "a.b"}, {"c\xc3\xa9", "v"}, {"instance", "i"}}, {599'000, 1});
    EXPECT_EQ(text("?match[]={'a.b'}"), "# TYPE a_b untyped\na_b{c_=\"v\",instance=\"i\"} 1 599000\n");
    EXPECT_EQ(text("?match[]={'a.b'}", "text/plain;version=1.0.0;escaping=allow-utf-8"),
              "# TYPE \"a.b\" untyped\n{\"a.b\",\"c\xc3\xa9\"=\"v\",instance=\"i\"} 1 599000\n");
}

// As Prometheus asks when it is to scrape native histograms, and reads back.
TEST_F(Federate, ProtobufForThoseWhoPreferIt) {
    auto histogram = std::make_shared<tsdb::Histogram>();
    histogram->schema = 1;
    histogram->count = 3.5;
    histogram->sum = 9;
    histogram->zero_count = 0.5;
    histogram->zero_threshold = 0.01;
    histogram->positive_spans = {{2, 2}};
    histogram->positive = {1, 2};
    auto custom = std::make_shared<tsdb::Histogram>();
    custom->schema = tsdb::Histogram::kCustomBuckets;
    custom->count = 3;
    custom->sum = 4;
    custom->custom_bounds = {0.5, 2};
    custom->positive_spans = {{0, 1}, {1, 1}};
    custom->positive = {1, 2};
    const std::string body =
        federated_protobuf({{{{"__name__", "c"}}, {5, tsdb::histogram_marker()}, custom},
                            {{{"__name__", "h"}, {"instance", "i"}}, {7, tsdb::histogram_marker()}, histogram},
                            {{{"__name__", "up"}, {"job", "a"}}, {8, 1}, nullptr}},
                           NameEscaping::Underscores);
    std::string read;
    wire::ProtobufVisitor visitor;
    visitor.on_family = [&](const wire::ProtobufFamily& family) {
        read += "# " + std::string(family.name) + " " + std::string(family.type) + "\n";
    };
    visitor.on_sample = [&](const wire::ProtobufSample& sample) {
        read += std::string(sample.name);
        for (const auto& [name, value] : sample.labels) read += " " + std::string(name) + "=" + std::string(value);
        if (sample.histogram != nullptr) {
            EXPECT_EQ(*collect::to_store(wire::NativeHistogram(*sample.histogram)), *histogram);
            read += " (native)";
        } else {
            read += " " + format_number(sample.value);
        }
        read += " @" + std::to_string(sample.time_ms.value_or(0)) + "\n";
    };
    ASSERT_TRUE(wire::parse_protobuf_exposition(body, visitor));
    EXPECT_EQ(read,
              "# c histogram\nc_bucket instance= le=0.5 1 @5\nc_bucket instance= le=2.0 1 @5\n"
              "c_bucket instance= le=+Inf 3 @5\nc_sum instance= 4 @5\nc_count instance= 3 @5\n"
              "# h histogram\nh instance=i (native) @7\n# up unknown\nup job=a instance= 1 @8\n");

    store.data.add({{"__name__", "up"}, {"job", "a"}}, {590'000, 1});
    const char* kDelimited =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    struct Row {
        std::string accept;
        bool protobuf;
    };
    for (const Row& row : std::vector<Row>{
             {"", false},
             {"*/*", false},
             {"application/vnd.google.protobuf", false},
             {std::string(kDelimited) + ",application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5,*/*;q=0.1",
              true},
             {std::string(kDelimited) + ";q=0.6;escaping=allow-utf-8,text/plain;version=0.0.4;q=0.2", true},
             {std::string(kDelimited) + ";q=0.3,text/plain;version=0.0.4;q=0.5", false},
             {std::string(kDelimited) + ";q=0", false}}) {
        ApiRequest request;
        request.accept = row.accept;
        const auto response = call("/federate?match[]=up", request);
        EXPECT_EQ(response.headers.get("Content-Type").value_or("").starts_with("application/vnd"), row.protobuf)
            << row.accept;
        EXPECT_EQ(response.body.starts_with("#"), !row.protobuf) << row.accept;
    }
}

TEST_F(Federate, Errors) {
    const net::Response response = call("/federate?match[]=x(");
    EXPECT_EQ(response.body, "1:2: parse error: unexpected \"(\"\n");
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.headers.get("Content-Type"), "text/plain; charset=utf-8");
}

TEST(FederatedText, HistogramsAreTheirSums) {
    auto histogram = std::make_shared<tsdb::Histogram>();
    histogram->count = 3;
    histogram->sum = 4.5;
    EXPECT_EQ(federated_text({{{{"__name__", "h"}, {"instance", "i"}}, {7, tsdb::histogram_marker()}, histogram}},
                             NameEscaping::Underscores),
              "# TYPE h histogram\n"
              "h_bucket{instance=\"i\",le=\"+Inf\"} 3 7\n"
              "h_sum{instance=\"i\"} 4.5 7\n"
              "h_count{instance=\"i\"} 3 7\n");
}

}  // namespace
}  // namespace stoker::api
