// query, query_range, series, labels, values: Prometheus' answers to the letter.
#include "api/prometheus_fixture.h"

namespace stoker::api {
namespace {

class PrometheusApi : public PrometheusFixture {
protected:
    PrometheusApi() {
        for (std::int64_t i = 0; i <= 10; ++i) {
            const auto value = static_cast<double>(i);
            store.data.add({{"__name__", "up"}, {"job", "a"}}, {i * 60'000, value});
            store.data.add({{"__name__", "up"}, {"job", "b"}}, {i * 60'000, value / 3});
        }
    }
};

TEST_F(PrometheusApi, Query) {
    EXPECT_EQ(body("/api/v1/query?query=up&time=90.5"),
              R"({"status":"success","data":{"resultType":"vector","result":[)"
              R"({"metric":{"__name__":"up","job":"a"},"value":[90.500,"1"]},)"
              R"({"metric":{"__name__":"up","job":"b"},"value":[90.500,"0.3333333333333333"]}]}})");
    EXPECT_EQ(body("/api/v1/query?query=1/0&time=1970-01-01T00:01:00Z"),
              R"({"status":"success","data":{"resultType":"scalar","result":[60,"+Inf"]}})");
    EXPECT_EQ(body("/api/v1/query?query=%22a%5Cn%22"),
              R"({"status":"success","data":{"resultType":"string","result":[600,"a\n"]}})");
    EXPECT_EQ(body("/api/v1/query?query=up{job='a'}[2m]&time=180"),
              R"({"status":"success","data":{"resultType":"matrix","result":[)"
              R"({"metric":{"__name__":"up","job":"a"},"values":[[120,"2"],[180,"3"]]}]}})");
    EXPECT_EQ(body("/api/v1/query?query=absent_metric"),
              R"({"status":"success","data":{"resultType":"vector","result":[]}})");
}

TEST_F(PrometheusApi, QueryRange) {
    EXPECT_EQ(body("/api/v1/query_range?query=sum(up)%2B0.5&start=0&end=120&step=1m"),
              R"({"status":"success","data":{"resultType":"matrix","result":[)"
              R"({"metric":{},"values":[[0,"0.5"],[60,"1.8333333333333333"],[120,"3.1666666666666665"]]}]}})");
    EXPECT_EQ(call("POST /api/v1/query_range?query=1&start=0&end=1&step=1").status, 200);
}

TEST_F(PrometheusApi, Notes) {
    EXPECT_EQ(
        body("/api/v1/query?query=rate(up{job=%22a%22}[2m])&time=120"),
        R"({"status":"success","data":{"resultType":"vector","result":[)"
        R"({"metric":{"job":"a"},"value":[120,"0.016666666666666666"]}]},"infos":["PromQL info: metric might not )"
        R"-(be a counter, name does not end in _total/_sum/_count/_bucket: \"up\" (1:6)"]})-");
    EXPECT_EQ(body("/api/v1/query?query=up&time=60&limit=1"),
              R"({"status":"success","data":{"resultType":"vector","result":[)"
              R"({"metric":{"__name__":"up","job":"a"},"value":[60,"1"]}]},)"
              R"("warnings":["results truncated due to limit"]})");
}

TEST_F(PrometheusApi, Names) {
    EXPECT_EQ(body("/api/v1/labels"), R"({"status":"success","data":["__name__","job"]})");
    EXPECT_EQ(body("/api/v1/label/job/values"), R"({"status":"success","data":["a","b"]})");
    EXPECT_EQ(body("/api/v1/label/job/values?match[]=up{job!='a'}"), R"({"status":"success","data":["b"]})");
    EXPECT_EQ(body("/api/v1/label/none/values"), R"({"status":"success","data":[]})");
    EXPECT_EQ(body("/api/v1/series?match[]=up{job='b'}&match[]=up"),
              R"({"status":"success","data":[{"__name__":"up","job":"a"},{"__name__":"up","job":"b"}]})");
    EXPECT_EQ(body("/api/v1/series?match[]=up&start=700&end=800"), R"({"status":"success","data":[]})");
    EXPECT_EQ(data("/api/v1/series?match[]=up&start=9&end=8"), "[]");
    EXPECT_EQ(call("POST /api/v1/labels").status, 200);
    EXPECT_EQ(call("POST /api/v1/label/job/values").status, 405);
    EXPECT_EQ(error("DELETE /api/v1/series?match[]=up"), "500 internal: not implemented");
}

TEST_F(PrometheusApi, Errors) {
    EXPECT_EQ(error("/api/v1/query?query=up%2B"),
              R"(400 bad_data: invalid parameter \"query\": 1:4: parse error: unexpected end of input)");
    EXPECT_EQ(
        error("/api/v1/query?query=up&time=x"),
        R"(400 bad_data: invalid parameter \"time\": invalid time value for 'time': cannot parse \"x\" to a valid timestamp)");
    EXPECT_EQ(error("/api/v1/query?query=up&timeout=x"),
              R"(400 bad_data: invalid parameter \"timeout\": cannot parse \"x\" to a valid duration)");
    EXPECT_EQ(error("/api/v1/query?query=up%2Bon()up").substr(0, 55),
              "422 execution: found duplicate series for the match gro");
    EXPECT_EQ(error("/api/v1/query?query=up&timeout=0"), "503 timeout: query timed out in expression evaluation");
    EXPECT_EQ(error("/api/v1/query_range?query=up&start=1&end=0&step=1"),
              R"(400 bad_data: invalid parameter \"end\": end timestamp must not be before start time)");
    EXPECT_EQ(error("/api/v1/query_range?query=up&end=0&step=1"),
              R"(400 bad_data: invalid parameter \"start\": cannot parse \"\" to a valid timestamp)");
    EXPECT_EQ(error("/api/v1/query_range?query=up&start=0&end=1&step=0"),
              R"(400 bad_data: invalid parameter \"step\": zero or negative query resolution step widths are not )"
              "accepted. Try a positive integer");
    EXPECT_EQ(error("/api/v1/query_range?query=up&start=0&end=100000&step=1"),
              "400 bad_data: exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
              "resolution (?step=XX)");
    EXPECT_EQ(error("/api/v1/series"), "400 bad_data: no match[] parameter provided");
    EXPECT_EQ(error("/api/v1/series?match[]={}"),
              R"(400 bad_data: invalid parameter \"match[]\": match[] must contain at least one non-empty matcher)");
    EXPECT_EQ(error("/api/v1/query?query=up&limit=-1"),
              R"(400 bad_data: invalid parameter \"limit\": limit must be non-negative)");
}

TEST_F(PrometheusApi, ASampleLimitAndClientsThatLeave) {
    promql::EngineOptions options;
    options.max_samples = 3;
    engine = promql::Engine(options);
    EXPECT_EQ(error("/api/v1/query?query=sum_over_time(up[10m])"),
              "422 execution: query processing would load too many samples into memory in query execution");
    const std::atomic<bool> gone{true};
    ApiRequest request;
    request.cancelled = &gone;
    const net::Response response = call("/api/v1/query?query=up", request);
    EXPECT_EQ(response.status, 503);
    EXPECT_NE(response.body.find("\"canceled\""), std::string::npos);
}

TEST_F(PrometheusApi, WaitingCountsTowardsTheTimeout) {
    ApiRequest request;
    request.queued = Duration{3'000};
    EXPECT_EQ(call("/api/v1/query?query=up&timeout=2", request).body,
              R"({"status":"error","errorType":"timeout","error":"query timed out in query queue"})");
    EXPECT_EQ(call("/api/v1/query?query=up&timeout=4", request).status, 200);
}

TEST_F(PrometheusApi, LookbackDelta) {
    EXPECT_EQ(data("/api/v1/query?query=count(up)&time=700"),
              R"({"resultType":"vector","result":[{"metric":{},"value":[700,"2"]}]})");
    EXPECT_EQ(data("/api/v1/query?query=count(up)&time=700&lookback_delta=30s"),
              R"({"resultType":"vector","result":[]})");
    EXPECT_EQ(error("/api/v1/query?query=up&lookback_delta=x"),
              R"(400 bad_data: error parsing lookback delta duration: cannot parse \"x\" to a valid duration)");
}

TEST_F(PrometheusApi, Statistics) {
    const std::string answer = data("/api/v1/query?query=sum_over_time(up[3m])&stats=all");
    EXPECT_NE(answer.find(R"("result":[{"metric":{"job":"a"},)"), std::string::npos) << answer;
    EXPECT_NE(answer.find(R"(]}],"stats":{"timings":{"evalTotalTime":)"), std::string::npos) << answer;
    // Three minutes of two series; the store hands out what it has in the range.
    EXPECT_NE(answer.find(R"("samples":{"totalQueryableSamples":6,"peakSamples":6}}})"), std::string::npos) << answer;
    EXPECT_EQ(data("/api/v1/query?query=1").find("stats"), std::string::npos);
}

TEST_F(PrometheusApi, LabelNamesInPaths) {
    store.data.add({{"__name__", "m"}, {"a.b", "1"}, {"U__x", "2"}, {"caf\xc3\xa9", "3"}}, {0, 1});
    EXPECT_EQ(data("/api/v1/label/U__a_2e_b/values"), R"(["1"])");
    EXPECT_EQ(data("/api/v1/label/a.b/values"), R"(["1"])");
    EXPECT_EQ(data("/api/v1/label/U__caf_e9_/values"), R"(["3"])");
    EXPECT_EQ(data("/api/v1/label/U__U____x/values"), R"(["2"])");
    EXPECT_EQ(data("/api/v1/label/U__x_zz_/values"), "[]");  // No escape after all.
    EXPECT_EQ(error("/api/v1/label/%ff/values"), R"(400 bad_data: invalid label name: \"\\xff\")");
}

TEST_F(PrometheusApi, Limits) {
    EXPECT_EQ(body("/api/v1/label/job/values?limit=1"),
              R"({"status":"success","data":["a"],"warnings":["results truncated due to limit"]})");
    EXPECT_EQ(body("/api/v1/labels?limit=1"),
              R"({"status":"success","data":["__name__"],"warnings":["results truncated due to limit"]})");
    EXPECT_EQ(body("/api/v1/series?match[]=up&limit=1"), R"({"status":"success","data":[{"__name__":"up","job":"a"}],)"
                                                         R"("warnings":["results truncated due to limit"]})");
    EXPECT_EQ(body("/api/v1/labels?limit=2"), R"({"status":"success","data":["__name__","job"]})");
}

TEST_F(PrometheusApi, Format) {
    EXPECT_EQ(data("/api/v1/format_query?query=sum(up)by(job)"), "\"sum by (job) (up)\"");
    EXPECT_EQ(error("/api/v1/format_query?query=sum(").substr(0, 61),
              R"(400 bad_data: invalid parameter \"query\": 1:5: parse error: )");
    EXPECT_EQ(data("/api/v1/parse_query?query=1").front(), '{');
}

}  // namespace
}  // namespace stoker::api
