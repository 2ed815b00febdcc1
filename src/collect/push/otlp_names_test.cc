#include "collect/push/otlp_names.h"

#include <gtest/gtest.h>

namespace stoker::collect {
namespace {

using wire::otlp::Kind;

struct Row {
    const char* name;
    const char* unit;
    Kind kind;
    bool monotonic;
    const char* escaped;
    const char* unescaped;
};

wire::otlp::Metric metric_of(const char* name, const char* unit, Kind kind, bool monotonic) {
    wire::otlp::Metric metric;
    metric.name = name;
    metric.unit = unit;
    metric.kind = kind;
    metric.monotonic = monotonic;
    return metric;
}

TEST(OtlpNames, UnitsAndKindsBecomeSuffixesOnce) {
    for (const Row& row : std::vector<Row>{
             {"http.server.duration", "ms", Kind::Histogram, false, "http_server_duration_milliseconds",
              "http.server.duration_milliseconds"},
             {"gen_ai.client.token.usage", "{token}", Kind::Histogram, false, "gen_ai_client_token_usage",
              "gen_ai.client.token.usage"},
             {"gen_ai.client.operation.duration", "s", Kind::Histogram, false,
              "gen_ai_client_operation_duration_seconds", "gen_ai.client.operation.duration_seconds"},
             {"requests", "1", Kind::Sum, true, "requests_total", "requests_total"},
             {"requests.total", "", Kind::Sum, true, "requests_total", "requests_total"},
             {"queue.size", "{items}", Kind::Sum, false, "queue_size", "queue.size"},
             {"cpu.utilization", "1", Kind::Gauge, false, "cpu_utilization_ratio", "cpu.utilization_ratio"},
             {"net.io", "By/s", Kind::Gauge, false, "net_io_bytes_per_second", "net.io_bytes_per_second"},
             {"system.network.bytes", "By", Kind::Sum, true, "system_network_bytes_total",
              "system.network.bytes_total"},
             {"speed", "m/m", Kind::Gauge, false, "speed_meters_per_minute", "speed_meters_per_minute"},
             {"fuel", "gal/{trip}", Kind::Gauge, false, "fuel_gal", "fuel_gal"},
             {"2xx.answers", "", Kind::Gauge, false, "_2xx_answers", "2xx.answers"},
             {"a::b", "", Kind::Gauge, false, "a::b", "a::b"},
             {"temp\xc3\xa9rature", "Cel", Kind::Gauge, false, "temp_rature_celsius", "temp\xc3\xa9rature_celsius"},
             {"___", "", Kind::Gauge, false, "", "___"},
         }) {
        const wire::otlp::Metric metric = metric_of(row.name, row.unit, row.kind, row.monotonic);
        EXPECT_EQ(otlp_metric_name(metric, OtlpNames::UnderscoreEscapingWithSuffixes), row.escaped) << row.name;
        EXPECT_EQ(otlp_metric_name(metric, OtlpNames::NoUtf8EscapingWithSuffixes), row.unescaped) << row.name;
        EXPECT_EQ(otlp_metric_name(metric, OtlpNames::NoTranslation), row.name);
    }
    const wire::otlp::Metric metric = metric_of("a.b__c", "s", Kind::Sum, true);
    EXPECT_EQ(otlp_metric_name(metric, OtlpNames::UnderscoreEscapingWithoutSuffixes), "a_b__c");
}

TEST(OtlpNames, Labels) {
    const auto escaped = [](const char* name) {
        return otlp_label_name(name, OtlpNames::UnderscoreEscapingWithSuffixes);
    };
    EXPECT_EQ(escaped("http.method"), "http_method");
    EXPECT_EQ(escaped("2xx"), "key_2xx");
    EXPECT_EQ(escaped("_private"), "key_private");
    EXPECT_EQ(escaped("__reserved"), "__reserved");
    EXPECT_EQ(escaped("\xe6\xb8\xa9.b"), "__b");
    EXPECT_EQ(escaped("a:b"), "a_b");
    EXPECT_EQ(escaped(".."), "");
    EXPECT_EQ(otlp_label_name("http.method", OtlpNames::NoTranslation), "http.method");
}

TEST(OtlpNames, StrategiesByName) {
    EXPECT_TRUE(parse_otlp_names("NoUTF8EscapingWithSuffixes").has_value());
    EXPECT_FALSE(parse_otlp_names("Whatever").has_value());
    EXPECT_EQ(otlp_unit("By/s"), "bytes_per_second");
    EXPECT_EQ(otlp_unit("{token}"), "");
}

}  // namespace
}  // namespace stoker::collect
