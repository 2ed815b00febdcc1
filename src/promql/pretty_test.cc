// Queries as text and as trees, and histograms as JSON.
#include "promql/pretty.h"

#include <gtest/gtest.h>

#include "promql/engine.h"
#include "promql/histogram_text.h"
#include "promql/label_hash.h"
#include "promql/series_text.h"

namespace stoker::promql {
namespace {

Engine experimental_engine() {
    EngineOptions options;
    options.experimental = true;
    return Engine(options);
}

std::string laid_out(std::string_view query) {
    const auto text = experimental_engine().format(query);
    return text ? *text : text.error().message;
}

TEST(Pretty, OneLineIsCanonical) {
    const std::pair<std::string_view, std::string_view> kCases[] = {
        {"sum(a{job='x'}[5m:1m]offset 90s)by(job)",
         "1:5: parse error: expected type instant vector in aggregation "
         "expression, got range vector"},
        {"sum(rate(a{job='x'}[5m]))by(job)", "sum by (job) (rate(a{job=\"x\"}[5m]))"},
        {"a{z='1',b!~'2'}", "a{b!~\"2\",z=\"1\"}"},
        {"{'a b',c='d'}", "{__name__=\"a b\",c=\"d\"}"},
        {"sum by('a b')(a)", "sum by (\"a b\") (a)"},
        {"a+on(x)group_left(y)b", "a + on (x) group_left (y) b"},
        {"a>bool 1", "a > bool 1"},
        {"-a^-2", "-a ^ -2"},
        {"a offset -1h30m @ end()", "a @ end() offset -1h30m"},
        {"a @ 1.5", "a @ 1.500"},
        {"a[1d]", "a[1d]"},
        {"a[8d]", "a[8d]"},
        {"a[14d]", "a[2w]"},
        {"a[90s]", "a[1m30s]"},
        {"quantile(0.5,a)", "quantile(0.5, a)"},
        {"a[step()*2] smoothed", "a[step() * 2] smoothed"},
        {"a offset (1m+2m)", "a offset (1m + 2m)"},
        {"a+fill(0)b", "a + fill (0) b"},
        {"a </ 5m", "a </ 5m"},
    };
    for (const auto& [query, text] : kCases) EXPECT_EQ(laid_out(query), text) << query;
}

TEST(Pretty, LongQueriesAreBrokenAndIndented) {
    EXPECT_EQ(
        laid_out("sum by (job, instance) (rate(requests_of_some_service_total{job=\"one\", code=~\"5..\"}[5m])) / "
                 "sum by (job, instance) (rate(requests_of_some_service_total[5m]))"),
        "  sum by (job, instance) (rate(requests_of_some_service_total{code=~\"5..\",job=\"one\"}[5m]))\n"
        "/\n"
        "  sum by (job, instance) (rate(requests_of_some_service_total[5m]))");
    const std::string name(60, 'x');
    EXPECT_EQ(laid_out("clamp_max(" + name + ", scalar(" + name + "))"),
              "clamp_max(\n  " + name + ",\n  scalar(" + name + ")\n)");
}

TEST(Pretty, Trees) {
    const Engine engine;
    EXPECT_EQ(*engine.syntax_tree_json("a{b=\"c\"} offset 1m"),
              "{\"anchored\":false,\"matchers\":[{\"name\":\"b\",\"type\":\"=\",\"value\":\"c\"},"
              "{\"name\":\"__name__\",\"type\":\"=\",\"value\":\"a\"}],\"name\":\"a\",\"offset\":60000,"
              "\"smoothed\":false,\"startOrEnd\":null,\"timestamp\":null,\"type\":\"vectorSelector\"}");
    EXPECT_EQ(*engine.syntax_tree_json("(1)"),
              "{\"expr\":{\"type\":\"numberLiteral\",\"val\":\"1\"},\"type\":\"parenExpr\"}");
    EXPECT_NE(engine.syntax_tree_json("a * on(x) group_left b")->find("\"card\":\"many-to-one\""), std::string::npos);
}

TEST(Features, ExperimentalSyntaxIsRefused) {
    const Engine engine;
    const auto refusal = [&](std::string_view query) { return engine.check(query).error().message; };
    EXPECT_EQ(refusal("mad_over_time(a[5m])"), "1:1: parse error: function \"mad_over_time\" is not enabled");
    EXPECT_EQ(refusal("limitk(1, a)"),
              "1:1: parse error: limitk() is experimental and must be enabled with "
              "--enable-feature=promql-experimental-functions");
    EXPECT_EQ(refusal("a[5m + 1m]"), "1:3: parse error: experimental duration expression is not enabled");
    EXPECT_EQ(refusal("rate(a[5m] anchored)"), "1:6: parse error: anchored modifier is experimental and not enabled");
    EXPECT_EQ(refusal("a + fill(1) b"), "1:1: parse error: binop fill modifiers are experimental and not enabled");
}

tsdb::Histogram literal(std::string_view text) {
    bool hint_given = false;
    return *parse_histogram_literal(text, hint_given);
}

TEST(HistogramText, Json) {
    std::string json;
    append_json_histogram(json, literal("{{schema:0 count:10 sum:3.5 z_bucket:2 z_bucket_w:0.001 buckets:[1 0 2] "
                                        "n_buckets:[5]}}"));
    EXPECT_EQ(json,
              "{\"count\":\"10\",\"sum\":\"3.5\",\"buckets\":[[1,\"-1\",\"-0.5\",\"5\"],[3,\"-0.001\",\"0.001\",\"2\"],"
              "[0,\"0.5\",\"1\",\"1\"],[0,\"2\",\"4\",\"2\"]]}");
    json.clear();
    append_json_histogram(json, tsdb::Histogram{});
    EXPECT_EQ(json, "{\"count\":\"0\",\"sum\":\"0\"}");
}

TEST(HistogramText, LiteralsReadBack) {
    for (const std::string_view text :
         {"{{}}",
          "{{schema:-2 count:3 sum:-4.5 z_bucket:1 z_bucket_w:0.01 offset:-3 buckets:[1 0 2] n_offset:2 "
          "n_buckets:[7]}}",
          "{{schema:-53 count:2 sum:1 custom_values:[1 2.5] counter_reset_hint:gauge buckets:[1 1]}}"}) {
        EXPECT_EQ(histogram_literal(literal(text)), text);
    }
}

TEST(HistogramText, BadLiteralsAreRefused) {
    bool given = false;
    for (const std::string_view text : {"{{", "{{}", "{{sum}}", "{{sum:x}}", "{{buckets:1}}", "{{sum:1 sum:2}}",
                                        "{{schema:9}}", "{{counter_reset_hint:maybe}}", "{{schema:1.5}}"}) {
        EXPECT_FALSE(parse_histogram_literal(text, given).has_value()) << text;
    }
}

TEST(LabelHash, KnownAnswers) {
    EXPECT_EQ(xxh64(""), 0xEF46DB3751D8E999ULL);
    EXPECT_EQ(xxh64("a"), 0xD24EC4F1A98C6E5BULL);
    EXPECT_EQ(xxh64("abc"), 0x44BC2CF5AD770999ULL);
    EXPECT_EQ(xxh64("Nobody inspects the spammish repetition"), 0xFBCEA83C8A378BF1ULL);
}

}  // namespace
}  // namespace stoker::promql
