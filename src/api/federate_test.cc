#include "api/federate_text.h"
#include "api/prometheus_fixture.h"

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

TEST_F(Federate, Errors) {
    const net::Response response = call("/federate?match[]=x(");
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
