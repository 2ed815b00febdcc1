#include "wire/otlp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <protozero/pbf_writer.hpp>

namespace stoker::wire::otlp {
namespace {

using protozero::pbf_writer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// A message that `fill` writes.
template <typename Fill>
std::string message(const Fill& fill) {
    std::string out;
    pbf_writer writer(out);
    fill(writer);
    return out;
}

std::string text_value(const std::string& text) {
    return message([&](pbf_writer& w) { w.add_string(1, text); });
}
std::string attribute(const std::string& key, const std::string& any_value) {
    return message([&](pbf_writer& w) {
        w.add_string(1, key);
        w.add_message(2, any_value);
    });
}

// One resource, one scope, one metric whose data of `kind_field` is `data`.
std::string request_of(std::uint32_t kind_field, const std::string& data) {
    const std::string metric = message([&](pbf_writer& w) {
        w.add_string(1, "gen_ai.client.token.usage");
        w.add_string(2, "Tokens.");
        w.add_string(3, "{token}");
        w.add_message(kind_field, data);
    });
    const std::string scope_metrics = message([&](pbf_writer& w) {
        w.add_message(1, message([&](pbf_writer& s) {
                          s.add_string(1, "lib");
                          s.add_string(2, "1.2");
                          s.add_message(3, attribute("k", text_value("v")));
                      }));
        w.add_message(2, metric);
        w.add_string(3, "http://schema");
    });
    const std::string resource_metrics = message([&](pbf_writer& w) {
        w.add_message(
            1, message([&](pbf_writer& r) { r.add_message(1, attribute("service.name", text_value("gateway"))); }));
        w.add_message(2, scope_metrics);
    });
    return message([&](pbf_writer& w) { w.add_message(1, resource_metrics); });
}

const Metric& only_metric(const Result<MetricsRequest>& request) {
    static const Metric none;
    EXPECT_TRUE(request.has_value()) << (request ? "" : request.error().message);
    if (!request || request->resources.size() != 1) return none;
    return request->resources[0].scopes.at(0).metrics.at(0);
}

TEST(OtlpProtobuf, SumWithEverythingAround) {
    const std::string list = message([&](pbf_writer& w) {
        w.add_message(5, message([&](pbf_writer& a) {
                          a.add_message(1, text_value("x\"y"));
                          a.add_message(1, message([](pbf_writer& v) { v.add_int64(3, -5); }));
                      }));
    });
    const std::string point = message([&](pbf_writer& w) {
        w.add_message(7, attribute("text", text_value("a")));
        w.add_message(7, attribute("flag", message([](pbf_writer& v) { v.add_bool(2, true); })));
        w.add_message(7, attribute("ratio", message([](pbf_writer& v) { v.add_double(4, 0.5); })));
        w.add_message(7, attribute("list", list));
        w.add_message(7, attribute("bytes", message([](pbf_writer& v) { v.add_bytes(7, "\x01\x02"); })));
        w.add_fixed64(2, 100);
        w.add_fixed64(3, 200);
        w.add_sfixed64(6, -7);
        w.add_uint32(8, 1);
        w.add_string(99, "from the future");
        w.add_message(5, message([&](pbf_writer& e) {
                          e.add_fixed64(2, 150);
                          e.add_double(3, 2.5);
                          e.add_bytes(4, std::string(8, '\x0a'));
                          e.add_bytes(5, std::string(16, '\0'));
                          e.add_message(7, attribute("user", text_value("u")));
                      }));
    });
    const auto request = parse_protobuf(request_of(7, message([&](pbf_writer& w) {
                                                       w.add_message(1, point);
                                                       w.add_enum(2, 1);
                                                       w.add_bool(3, true);
                                                   })));
    const Metric& metric = only_metric(request);
    EXPECT_EQ(metric.name, "gen_ai.client.token.usage");
    EXPECT_EQ(metric.unit, "{token}");
    EXPECT_EQ(metric.kind, Kind::Sum);
    EXPECT_EQ(metric.temporality, Temporality::Delta);
    EXPECT_TRUE(metric.monotonic);
    EXPECT_THAT(request->resources[0].attributes, ElementsAre(Pair("service.name", "gateway")));
    const Scope& scope = request->resources[0].scopes[0];
    EXPECT_EQ(scope.name + scope.version + scope.schema_url, "lib1.2http://schema");
    ASSERT_EQ(metric.points.size(), 1u);
    const Point& got = metric.points[0];
    EXPECT_THAT(got.attributes, ElementsAre(Pair("text", "a"), Pair("flag", "true"), Pair("ratio", "0.5"),
                                            Pair("list", R"(["x\"y",-5])"), Pair("bytes", "AQI=")));
    EXPECT_EQ(got.start, 100u);
    EXPECT_EQ(got.time, 200u);
    EXPECT_EQ(got.value, -7);
    EXPECT_TRUE(got.no_recorded_value());
    ASSERT_EQ(got.exemplars.size(), 1u);
    EXPECT_EQ(got.exemplars[0].span_id, "0a0a0a0a0a0a0a0a");
    EXPECT_EQ(got.exemplars[0].trace_id, "");
    EXPECT_THAT(got.exemplars[0].attributes, ElementsAre(Pair("user", "u")));
}

TEST(OtlpProtobuf, HistogramsPackedAndNot) {
    const std::string point = message([&](pbf_writer& w) {
        w.add_fixed64(3, 200);
        w.add_fixed64(4, 6);
        w.add_double(5, 9.5);
        const std::vector<std::uint64_t> counts{1, 2};
        w.add_packed_fixed64(6, counts.begin(), counts.end());
        w.add_fixed64(6, 3);
        w.add_double(7, 0.5);
        const std::vector<double> bounds{1};
        w.add_packed_double(7, bounds.begin(), bounds.end());
    });
    const auto request = parse_protobuf(request_of(9, message([&](pbf_writer& w) { w.add_message(1, point); })));
    const Point& got = only_metric(request).points.at(0);
    EXPECT_THAT(got.bucket_counts, ElementsAre(1, 2, 3));
    EXPECT_THAT(got.bounds, ElementsAre(0.5, 1));
    EXPECT_EQ(got.sum, 9.5);
    EXPECT_EQ(got.count, 6u);
}

TEST(OtlpProtobuf, ExponentialHistogramAndSummary) {
    const std::string point = message([&](pbf_writer& w) {
        w.add_sint32(6, -2);
        w.add_fixed64(7, 4);
        w.add_double(14, 0.001);
        w.add_message(8, message([](pbf_writer& b) {
                          b.add_sint32(1, -3);
                          const std::vector<std::uint64_t> counts{1, 0, 5};
                          b.add_packed_uint64(2, counts.begin(), counts.end());
                      }));
        w.add_message(9, message([](pbf_writer& b) { b.add_uint64(2, 300); }));
    });
    const auto exponential = parse_protobuf(request_of(10, message([&](pbf_writer& w) { w.add_message(1, point); })));
    const Point& got = only_metric(exponential).points.at(0);
    EXPECT_EQ(got.scale, -2);
    EXPECT_EQ(got.zero_count, 4u);
    EXPECT_EQ(got.zero_threshold, 0.001);
    EXPECT_EQ(got.positive.offset, -3);
    EXPECT_THAT(got.positive.counts, ElementsAre(1, 0, 5));
    EXPECT_THAT(got.negative.counts, ElementsAre(300));

    const auto summary = parse_protobuf(request_of(11, message([&](pbf_writer& w) {
                                                       w.add_message(1, message([](pbf_writer& p) {
                                                                         p.add_message(6, message([](pbf_writer& q) {
                                                                                           q.add_double(1, 0.5);
                                                                                           q.add_double(2, 7);
                                                                                       }));
                                                                     }));
                                                   })));
    EXPECT_THAT(only_metric(summary).points.at(0).quantiles, ElementsAre(Pair(0.5, 7.0)));
}

TEST(OtlpProtobuf, GarbageIsAnErrorAndWrongTypesAreSkipped) {
    EXPECT_FALSE(parse_protobuf("no protobuf at all").has_value());
    EXPECT_FALSE(parse_protobuf("\x0a\x7f").has_value());
    EXPECT_TRUE(parse_protobuf("").has_value());
    const std::string odd = message([](pbf_writer& w) { w.add_uint64(1, 7); });
    EXPECT_TRUE(parse_protobuf(odd).has_value());
}

TEST(OtlpProtobuf, MemoryIsBounded) {
    std::string points;
    for (int i = 0; i < 1000; ++i) points += std::string("\x0a\x00", 2);
    const auto request = parse_protobuf(request_of(5, points), {.max_memory = 10'000});
    ASSERT_FALSE(request.has_value());
    EXPECT_EQ(request.error().code, Errc::ResourceExhausted);
    std::string deep = text_value("x");
    for (int i = 0; i < 100; ++i) {
        deep =
            message([&](pbf_writer& w) { w.add_message(5, message([&](pbf_writer& a) { a.add_message(1, deep); })); });
    }
    const std::string point = message([&](pbf_writer& w) { w.add_message(7, attribute("deep", deep)); });
    EXPECT_FALSE(parse_protobuf(request_of(5, message([&](pbf_writer& w) { w.add_message(1, point); }))).has_value());
}

TEST(OtlpJson, ReadsWhatExportersWrite) {
    const auto request = parse_json(R"({"resourceMetrics":[{"resource":{"attributes":[
        {"key":"service.name","value":{"stringValue":"gateway"}},{"key":"n","value":{"intValue":"12"}},
        {"key":"l","value":{"arrayValue":{"values":[{"stringValue":"a"},{"boolValue":true}]}}},
        {"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"doubleValue":1.5}}]}}}]},
        "scopeMetrics":[{"scope":{"name":"lib"},"metrics":[{"name":"h","unit":"s","histogram":{
        "aggregationTemporality":2,"dataPoints":[{"startTimeUnixNano":"1700000000000000001","timeUnixNano":1700000001,
        "count":"3","sum":1.5,"bucketCounts":["1",2],"explicitBounds":[0.5],"flags":0,"min":0,"unknown":[{}],
        "exemplars":[{"timeUnixNano":"5","asInt":"9","traceId":"5B8EFFF798038103D269B633813FC60C",
        "spanId":"0000000000000000"}]}]}}]}]}]})");
    const Metric& metric = only_metric(request);
    EXPECT_THAT(request->resources[0].attributes, ElementsAre(Pair("service.name", "gateway"), Pair("n", "12"),
                                                              Pair("l", R"(["a",true])"), Pair("m", R"({"k":1.5})")));
    EXPECT_EQ(metric.kind, Kind::Histogram);
    EXPECT_EQ(metric.temporality, Temporality::Cumulative);
    const Point& point = metric.points.at(0);
    EXPECT_EQ(point.start, 1700000000000000001u);
    EXPECT_EQ(point.time, 1700000001u);
    EXPECT_EQ(point.count, 3u);
    EXPECT_THAT(point.bucket_counts, ElementsAre(1, 2));
    EXPECT_EQ(point.exemplars.at(0).trace_id, "5b8efff798038103d269b633813fc60c");
    EXPECT_EQ(point.exemplars.at(0).span_id, "");
    EXPECT_EQ(point.exemplars.at(0).value, 9);
}

TEST(OtlpJson, NumbersInEverySpelling) {
    const auto value = [](const std::string& field) {
        const auto request = parse_json(R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"g","gauge":{
            "dataPoints":[{)" + field + "}]}}]}]}]}");
        return request ? only_metric(request).points.at(0).value.value_or(-1) : -2;
    };
    EXPECT_EQ(value(R"("asDouble":1.5)"), 1.5);
    EXPECT_EQ(value(R"("asDouble":"2.5")"), 2.5);
    EXPECT_TRUE(std::isnan(value(R"("asDouble":"NaN")")));
    EXPECT_EQ(value(R"("asDouble":"-Infinity")"), -std::numeric_limits<double>::infinity());
    EXPECT_EQ(value(R"("asInt":"9007199254740993")"), 9007199254740992.0);
    EXPECT_EQ(value(R"("asInt":-3)"), -3);
    EXPECT_EQ(value(R"("asInt":1e3)"), 1000);
    EXPECT_EQ(value(R"("asInt":1.5)"), -2);
    EXPECT_EQ(value(R"("asInt":"x")"), -2);
    EXPECT_EQ(value(R"("asDouble":null)"), -1);
    EXPECT_EQ(value(R"("asDouble":[])"), -2);
}

TEST(OtlpJson, GarbageIsAnError) {
    for (const char* body : {"", "[]", "{", "{\"resourceMetrics\":{}}", "{\"resourceMetrics\":[1]}", "\xff"}) {
        EXPECT_FALSE(parse_json(body).has_value()) << body;
    }
    EXPECT_TRUE(parse_json("{}").has_value());
    EXPECT_TRUE(parse_json(R"({"resourceMetrics":[{}]})").has_value());
}

}  // namespace
}  // namespace stoker::wire::otlp
