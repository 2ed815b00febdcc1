#include "api/prometheus_api.h"

#include <gtest/gtest.h>

#include "promql/memory_querier.h"

namespace stoker::api {
namespace {

class PrometheusApi : public testing::Test {
protected:
    PrometheusApi() {
        for (std::int64_t i = 0; i <= 10; ++i) {
            const auto value = static_cast<double>(i);
            data_.add({{"__name__", "up"}, {"job", "a"}}, {i * 60'000, value});
            data_.add({{"__name__", "up"}, {"job", "b"}}, {i * 60'000, value / 3});
        }
    }

    net::Response call(const std::string& path, const std::string& query, const std::string& method = "GET") {
        return prometheus_api({method, "/api/v1/" + path, net::parse_query(query), from_millis(600'000)}, data_,
                              engine_);
    }
    std::string body(const std::string& path, const std::string& query) { return call(path, query).body; }

    // "STATUS errorType: error"
    std::string error(const std::string& path, const std::string& query) {
        const net::Response response = call(path, query);
        const auto field = [&](const std::string& name) {
            const std::string key = "\"" + name + "\":\"";
            const std::size_t begin = response.body.find(key) + key.size();
            std::size_t end = begin;
            while (response.body[end] != '"' || response.body[end - 1] == '\\') ++end;
            return response.body.substr(begin, end - begin);
        };
        return std::to_string(response.status) + " " + field("errorType") + ": " + field("error");
    }

    promql::MemoryQuerier data_;
    promql::Engine engine_;
};

TEST_F(PrometheusApi, Query) {
    EXPECT_EQ(body("query", "query=up&time=90.5"),
              R"({"status":"success","data":{"resultType":"vector","result":[)"
              R"({"metric":{"__name__":"up","job":"a"},"value":[90.500,"1"]},)"
              R"({"metric":{"__name__":"up","job":"b"},"value":[90.500,"0.3333333333333333"]}]}})");
    EXPECT_EQ(body("query", "query=1/0&time=1970-01-01T00:01:00Z"),
              R"({"status":"success","data":{"resultType":"scalar","result":[60,"+Inf"]}})");
    EXPECT_EQ(body("query", "query=%22a%5Cn%22"),
              R"({"status":"success","data":{"resultType":"string","result":[600,"a\n"]}})");
    EXPECT_EQ(body("query", "query=up{job='a'}[2m]&time=180"),
              R"({"status":"success","data":{"resultType":"matrix","result":[)"
              R"({"metric":{"__name__":"up","job":"a"},"values":[[120,"2"],[180,"3"]]}]}})");
    EXPECT_EQ(body("query", "query=absent_metric"),
              R"({"status":"success","data":{"resultType":"vector","result":[]}})");
}

TEST_F(PrometheusApi, QueryRange) {
    EXPECT_EQ(body("query_range", "query=sum(up)%2B0.5&start=0&end=120&step=1m"),
              R"({"status":"success","data":{"resultType":"matrix","result":[)"
              R"({"metric":{},"values":[[0,"0.5"],[60,"1.8333333333333333"],[120,"3.1666666666666665"]]}]}})");
    EXPECT_EQ(call("query_range", "query=1&start=0&end=1&step=1", "POST").status, 200);
}

TEST_F(PrometheusApi, Notes) {
    EXPECT_EQ(
        body("query", "query=rate(up{job=%22a%22}[2m])&time=120"),
        R"({"status":"success","data":{"resultType":"vector","result":[)"
        R"({"metric":{"job":"a"},"value":[120,"0.016666666666666666"]}]},"infos":["PromQL info: metric might not )"
        R"-(be a counter, name does not end in _total/_sum/_count/_bucket: \"up\" (1:6)"]})-");
    EXPECT_EQ(body("query", "query=up&time=60&limit=1"),
              R"({"status":"success","data":{"resultType":"vector","result":[)"
              R"({"metric":{"__name__":"up","job":"a"},"value":[60,"1"]}]},)"
              R"("warnings":["results truncated due to limit"]})");
}

TEST_F(PrometheusApi, Names) {
    EXPECT_EQ(body("labels", ""), R"({"status":"success","data":["__name__","job"]})");
    EXPECT_EQ(body("label/job/values", ""), R"({"status":"success","data":["a","b"]})");
    EXPECT_EQ(body("label/job/values", "match[]=up{job!='a'}"), R"({"status":"success","data":["b"]})");
    EXPECT_EQ(body("label/none/values", ""), R"({"status":"success","data":[]})");
    EXPECT_EQ(body("series", "match[]=up{job='b'}&match[]=up"),
              R"({"status":"success","data":[{"__name__":"up","job":"a"},{"__name__":"up","job":"b"}]})");
    EXPECT_EQ(body("series", "match[]=up&start=700&end=800"), R"({"status":"success","data":[]})");
    EXPECT_EQ(body("metadata", ""), R"({"status":"success","data":{}})");
    EXPECT_EQ(call("status/buildinfo", "").status, 200);
}

TEST_F(PrometheusApi, Errors) {
    EXPECT_EQ(error("query", "query=up%2B"),
              R"(400 bad_data: invalid parameter \"query\": 1:4: parse error: unexpected end of input)");
    EXPECT_EQ(error("query", "query=up&time=x"),
              R"(400 bad_data: invalid parameter \"time\": cannot parse \"x\" to a valid timestamp)");
    EXPECT_EQ(error("query", "query=up&timeout=x"),
              R"(400 bad_data: invalid parameter \"timeout\": cannot parse \"x\" to a valid duration)");
    EXPECT_EQ(error("query", "query=up%2Bon()up").substr(0, 55),
              "422 execution: found duplicate series for the match gro");
    EXPECT_EQ(error("query", "query=up&timeout=0"), "503 timeout: query timed out in expression evaluation");
    EXPECT_EQ(error("query_range", "query=up&start=1&end=0&step=1"),
              R"(400 bad_data: invalid parameter \"end\": end timestamp must not be before start time)");
    EXPECT_EQ(error("query_range", "query=up&end=0&step=1"),
              R"(400 bad_data: invalid parameter \"start\": cannot parse \"\" to a valid timestamp)");
    EXPECT_EQ(error("query_range", "query=up&start=0&end=1&step=0"),
              R"(400 bad_data: invalid parameter \"step\": zero or negative query resolution step widths are not )"
              "accepted. Try a positive integer");
    EXPECT_EQ(error("query_range", "query=up&start=0&end=100000&step=1"),
              "400 bad_data: exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
              "resolution (?step=XX)");
    EXPECT_EQ(error("series", ""), "400 bad_data: no match[] parameter provided");
    EXPECT_EQ(error("series", "match[]={}"),
              R"(400 bad_data: invalid parameter \"match[]\": 1:1: parse error: vector selector must contain at least )"
              "one non-empty matcher");
    EXPECT_EQ(error("query", "query=up&limit=-1"),
              R"(400 bad_data: invalid parameter \"limit\": limit must be non-negative)");
}

TEST_F(PrometheusApi, SampleLimitAndCancellation) {
    promql::EngineOptions options;
    options.max_samples = 3;
    engine_ = promql::Engine(options);
    EXPECT_EQ(error("query", "query=sum_over_time(up[10m])"),
              "422 execution: query processing would load too many samples into memory in query execution");
    const std::atomic<bool> gone{true};
    const net::Response response =
        prometheus_api({"GET", "/api/v1/query", {{"query", "up"}}, from_millis(0), &gone}, data_, engine_);
    EXPECT_EQ(response.status, 503);
    EXPECT_NE(response.body.find("\"canceled\""), std::string::npos);
}

TEST_F(PrometheusApi, Methods) {
    EXPECT_EQ(call("labels", "", "POST").status, 200);
    EXPECT_EQ(call("label/job/values", "", "POST").status, 405);
    EXPECT_TRUE(is_prometheus_path("/api/v1/query"));
    EXPECT_TRUE(is_prometheus_path("/api/v1/label/job/values"));
    EXPECT_FALSE(is_prometheus_path("/api/v1/label/values"));
    EXPECT_FALSE(is_prometheus_path("/api/v1/overview"));
}

}  // namespace
}  // namespace stoker::api
