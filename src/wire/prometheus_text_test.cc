#include "wire/prometheus_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/metrics.h"

namespace stoker::wire {
namespace {

constexpr auto kProm = ExpositionFormat::Prometheus;
constexpr auto kOpen = ExpositionFormat::OpenMetrics;

// One line a sample: name{a="b"} value @time, with values as printf's %g.
std::string shown(std::string_view text, ExpositionFormat format = kProm) {
    const auto samples = parse_exposition(text, format);
    if (!samples) {
        return "error: " + samples.error().message;
    }
    std::string out;
    for (const auto& sample : *samples) {
        out += (out.empty() ? "" : " | ") + sample.name;
        for (const auto& [name, value] : sample.labels) {
            out += "," + name + "=" + value;
        }
        char number[40];
        std::snprintf(number, sizeof(number), " %.15g", sample.value);
        out += number;
        if (sample.time_ms) {
            out += " @" + std::to_string(*sample.time_ms);
        }
        if (sample.created_ms) {
            out += " since " + std::to_string(*sample.created_ms);
        }
    }
    return out;
}

struct Row {
    std::string_view text;
    std::string_view want;
};

TEST(PrometheusText, Samples) {
    for (const Row& row : std::vector<Row>{
             {"", ""},
             {"\n\n  \n", ""},
             {"up 1", "up 1"},
             {"up 1\n", "up 1"},
             {"up 1\r\ndown 0\r\n", "up 1 | down 0"},
             {"  up\t1  ", "up 1"},
             {"up{} 1", "up 1"},
             {"up{a=\"b\"} 1", "up,a=b 1"},
             {"up{a=\"b\",} 1", "up,a=b 1"},
             {"up { a = \"b\" , c=\"d\" } 1", "up,a=b,c=d 1"},
             {"job:rate5m{le=\"+Inf\"} 3", "job:rate5m,le=+Inf 3"},
             {"up 1 1700000000123", "up 1 @1700000000123"},
             {"up 1 -5", "up 1 @-5"},
             {"a +Inf\nb -Inf\nc NaN\nd Inf\ne +1.5e3\nf .5\ng 5.",
              "a inf | b -inf | c nan | d inf | e 1500 | f 0.5 | g 5"},
             {"a{x=\"q\\\"b\\\\n\\nl\"} 1", "a,x=q\"b\\n\nl 1"},
             {"a{x=\"\xe6\xb8\xa9\"} 1", "a,x=\xe6\xb8\xa9 1"},
             {"a{x=\"}{,=# \"} 1", "a,x=}{,=#  1"},
             {"# just a comment\n#\n# HELP\tup Whether it is.\n# TYPE up gauge\nup 1", "up 1"},
             {"{\"my.metric\",\"my.label\"=\"x\"} 1", "my.metric,my.label=x 1"},
             {"\xef\xbb\xbfup 1", "up 1"},
         }) {
        EXPECT_EQ(shown(row.text), row.want) << row.text;
    }
}

TEST(PrometheusText, ErrorsSayWhere) {
    for (const Row& row : std::vector<Row>{
             {"up", "error: line 1 column 3: the value is missing"},
             {"ok 1\nup x", "error: line 2 column 4: \"x\" is not a number"},
             {"9up 1", "error: line 1 column 1: a metric name cannot start with \"9\""},
             {"up{a=\"b\" 1", "error: line 1 column 10: expected , or } after a label, not \"1\""},
             {"up{a=\"b\"", "error: line 1 column 3: this brace is never closed"},
             {"up{a=\"b} 1", "error: line 1 column 6: this quote is never closed"},
             {"up{a=b} 1", "error: line 1 column 6: expected a quoted value for the label \"a\""},
             {"up{a} 1", "error: line 1 column 5: expected = after the label name \"a\""},
             {"up{1a=\"b\"} 1", "error: line 1 column 4: a label name cannot start with \"1\""},
             {"up{a:b=\"b\"} 1", "error: line 1 column 5: expected = after the label name \"a\""},
             {"up{a=\"b\",a=\"c\"} 1", "error: line 1 column 10: the label \"a\" is given twice"},
             {"up{__name__=\"b\"} 1", "error: line 1 column 4: a label cannot be called \"__name__\""},
             {"up{a=\"\\t\"} 1", "error: line 1 column 7: unknown escape \"\\t\""},
             {"up{a=\"\xff\"} 1", "error: line 1 column 7: text that is not UTF-8"},
             {"up 1 1.5", "error: line 1 column 6: \"1.5\" is not a timestamp in milliseconds"},
             {"up 1 2 3", "error: line 1 column 8: unexpected \"3\" after the sample"},
             {"up 1 # {a=\"b\"} 1", "error: line 1 column 6: unexpected \"# {a=\"b\"} 1\" after the sample"},
             {"up +-1", "error: line 1 column 4: \"+-1\" is not a number"},
             {"up nan(1)", "error: line 1 column 4: \"nan(1)\" is not a number"},
             {"up 0x1p", "error: line 1 column 4: \"0x1p\" is not a number"},
             {"{} 1", "error: this is JSON, not a metrics exposition: is the path right (often /metrics)?"},
             {"{a=\"b\"} 1", "error: line 1 column 1: a metric name is missing"},
             {"# TYPE up thing", "error: line 1 column 11: \"thing\" is not a metric type"},
             {"# TYPE 9 gauge", "error: line 1 column 8: a metric name cannot start with \"9\""},
             {"# HELP a-b help", "error: line 1 column 9: a metric name cannot hold \"-\""},
         }) {
        EXPECT_EQ(shown(row.text), row.want) << row.text;
    }
}

TEST(PrometheusText, WrongKindOfDocumentIsNamed) {
    for (const std::string_view text : {"<!DOCTYPE html><html>", "\n  <html>"}) {
        EXPECT_THAT(shown(text), testing::HasSubstr("this is HTML")) << text;
    }
    for (const std::string_view text : {"{\"status\": \"ok\"}", "{\n  \"a\" : 1}", "[1]", "{}", " {\n}"}) {
        EXPECT_THAT(shown(text), testing::HasSubstr("this is JSON")) << text;
    }
}

TEST(OpenMetrics, SamplesTimesAndExemplars) {
    EXPECT_EQ(shown("a_total 1 1700000000.123\n# EOF\n", kOpen), "a_total 1 @1700000000123");
    EXPECT_EQ(shown("# TYPE a counter\na_total 5 # {trace_id=\"abc\"} 0.5 1.5\n# EOF", kOpen), "a_total 5");
    EXPECT_EQ(shown("# TYPE a counter\na_total 5 12 # {} 0.5\n# EOF", kOpen), "a_total 5 @12000");
    EXPECT_EQ(shown("# TYPE a info\na_info 1\n# TYPE b_seconds gauge\n# UNIT b_seconds seconds\n# EOF", kOpen),
              "a_info 1");
    EXPECT_EQ(shown("# TYPE \"my.a\" gauge\n{\"my.a\",b=\"c\"} 1\n# EOF", kOpen), "my.a,b=c 1");
}

TEST(OpenMetrics, ExemplarsAreGivenWithTheirSample) {
    std::vector<std::string> seen;
    ExpositionVisitor visitor;
    visitor.on_sample = [&](const ExpositionSample& sample) {
        std::string text(sample.name);
        if (sample.exemplar != nullptr) {
            for (const auto& [name, value] : sample.exemplar->labels) {
                text += "," + std::string(name) + "=" + std::string(value);
            }
            text += " " + std::to_string(static_cast<int>(sample.exemplar->value));
            text += sample.exemplar->time_ms ? " @" + std::to_string(*sample.exemplar->time_ms) : "";
        }
        seen.push_back(text);
    };
    const auto text =
        "# TYPE a counter\na_total{x=\"1\"} 1 # {t=\"a\\\"b\"} 4\na_total{x=\"2\"} 1\na_total{x=\"3\"} 1 # {t=\"c\"} 5 "
        "2.5\n# EOF\n";
    ASSERT_TRUE(parse_exposition(text, kOpen, visitor).has_value());
    EXPECT_THAT(seen, testing::ElementsAre("a_total,t=a\"b 4", "a_total", "a_total,t=c 5 @2500"));
}

TEST(OpenMetrics, CreatedLinesAreStartTimes) {
    const auto counters =
        "# TYPE a counter\na_total{x=\"1\"} 3\na_created{x=\"1\"} 1.5\na_total{x=\"2\"} 4\na_created{x=\"2\"} 2\n"
        "# TYPE g gauge\ng 1\n# EOF\n";
    EXPECT_EQ(shown(counters, kOpen), "a_total,x=1 3 since 1500 | a_total,x=2 4 since 2000 | g 1");
    const auto histogram =
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_count 2\nh_sum 3\nh_created 7\n# EOF\n";
    EXPECT_EQ(shown(histogram, kOpen),
              "h_bucket,le=1 1 since 7000 | h_bucket,le=+Inf 2 since 7000 | h_count 2 since 7000 | h_sum 3 since 7000");
    const auto summary = "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_count 2\ns_created 7\n# EOF\n";
    EXPECT_EQ(shown(summary, kOpen), "s,quantile=0.5 1 | s_count 2 since 7000");
    std::size_t lines = 0;
    ExpositionVisitor visitor;
    visitor.on_sample = [&](const ExpositionSample& sample) { lines += sample.created_ms ? 0 : 1; };
    ASSERT_TRUE(parse_exposition(histogram, kOpen, visitor, {}, CreatedLines::Series).has_value());
    EXPECT_EQ(lines, 5u);
}

// What the specification allows, in one page.
TEST(OpenMetrics, AWholePage) {
    const auto text =
        "# TYPE acme_http_router_request_seconds summary\n"
        "# UNIT acme_http_router_request_seconds seconds\n"
        "# HELP acme_http_router_request_seconds Latency though all of ACME's HTTP request router.\n"
        "acme_http_router_request_seconds_sum{path=\"/api/v1\",method=\"GET\"} 9036.32\n"
        "acme_http_router_request_seconds_count{path=\"/api/v1\",method=\"GET\"} 807283.0\n"
        "acme_http_router_request_seconds_created{path=\"/api/v1\",method=\"GET\"} 1605281325.0\n"
        "acme_http_router_request_seconds_sum{path=\"/api/v2\",method=\"POST\"} 479.3\n"
        "acme_http_router_request_seconds_count{path=\"/api/v2\",method=\"POST\"} 34.0\n"
        "# TYPE go_goroutines gauge\n"
        "# HELP go_goroutines Number of goroutines that currently exist.\n"
        "go_goroutines 69\n"
        "# TYPE foo stateset\nfoo{foo=\"a\"} 1\nfoo{foo=\"bb\"} 0\n"
        "# TYPE g gaugehistogram\ng_bucket{le=\"0.1\"} 1\ng_bucket{le=\"+Inf\"} 2\ng_gcount 2\ng_gsum -3\n"
        "# TYPE c counter\nc_total 1 1\nc_total 2 2\n"
        "# EOF\n";
    const auto samples = parse_exposition(text, kOpen);
    ASSERT_TRUE(samples.has_value()) << samples.error().message;
    EXPECT_EQ(samples->size(), 13u);
}

// What the specification refuses, and the word that the error must have.
TEST(OpenMetrics, RefusesWhatTheSpecificationRefuses) {
    const std::string bucket = "# TYPE a histogram\n";
    for (const auto& [text, want] : std::vector<std::pair<std::string, std::string_view>>{
             {"a 1\n\n", "a blank line"},
             {" a 1\n", "cannot start"},
             {"a  1\n", "more than one blank"},
             {"a 1 \n", "blank"},
             {"a\t1\n", "expected a blank"},
             {"a 1\r\n", "not a number"},
             {"a{b=\"c\",} 1\n", "a comma before"},
             {"a{ b=\"c\"} 1\n", "label name"},
             {"a{b= \"c\"} 1\n", "expected a quoted value"},
             {"# a comment\n", "neither TYPE"},
             {"#TYPE a gauge\n", "expected a blank"},
             {"# TYPE  a gauge\n", "more than one blank"},
             {"# HELP a\n", "help text"},
             {"# TYPE a\n", "too early"},
             {"# TYPE a gauge\n# TYPE a gauge\n", "given twice"},
             {"# HELP a x\n# HELP a x\n", "given twice"},
             {"a 1\n# TYPE a gauge\n", "after its samples"},
             {"# TYPE a gauge\na 1\n# HELP a x\n", "after its samples"},
             {"# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\n", "used before"},
             {"a 1\nb 1\na 2\n", "used before"},
             {"# TYPE a gauge\na{x=\"1\"} 1\na{x=\"2\"} 1\na{x=\"1\"} 1\n", "not together"},
             {"# TYPE a counter\na_total 1\n# TYPE a_total gauge\na_total 1\n", "used before"},
             {"# TYPE a counter\na 1\n", "suffixes"},
             {"# TYPE a counter\na_total -1\n", "negative"},
             {"# TYPE a counter\na_total NaN\n", "NaN"},
             {"# TYPE a counter\na_total 1\na_total 2\n", "a second value"},
             {"# TYPE a counter\na_total 1\na_created -1\n", "negative"},
             {"a 1\na 1\n", "a second value"},
             {"# TYPE a gauge\na 1 2\na 1 1\n", "go back"},
             {"# TYPE a gauge\na 1 2\na 1\n", "with and without timestamps"},
             {"# TYPE a_x gauge\n# UNIT a_x seconds\n", "not the end of the name"},
             {"# TYPE a_seconds info\n# UNIT a_seconds seconds\n", "no unit"},
             {"# TYPE a info\na_info 2\n", "is not 1"},
             {"# TYPE a stateset\na{a=\"x\"} 2\n", "neither 0 nor 1"},
             {"# TYPE a stateset\na{b=\"x\"} 1\n", "no label a"},
             {"# TYPE a summary\na{quantile=\"1.1\"} 1\n", "between 0 and 1"},
             {"# TYPE a summary\na 1\n", "no label quantile"},
             {"# TYPE a summary\na_sum -1\n", "negative"},
             {bucket + "a_bucket 1\n", "no label le"},
             {bucket + "a_bucket{le=\"x\"} 1\n", "no label le"},
             {bucket + "a_bucket{le=\"NaN\"} 1\n", "no label le"},
             {bucket + "a_bucket{le=\"1\"} 1\n", "+Inf"},
             {bucket + "a_bucket{le=\"2\"} 1\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\n", "not in order"},
             {bucket + "a_bucket{le=\"1\"} 1\na_bucket{le=\"1.0\"} 1\na_bucket{le=\"+Inf\"} 1\n", "not in order"},
             {bucket + "a_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n", "decrease"},
             {bucket + "a_bucket{le=\"+Inf\"} -1\n", "negative"},
             {bucket + "a_bucket{le=\"+Inf\"} 1\na_count 2\na_sum 1\n", "the count"},
             {bucket + "a_bucket{le=\"+Inf\"} 1\na_count 1\n", "only one of"},
             {bucket + "a_bucket{le=\"+Inf\"} 1\na_count 1\na_sum -1\n", "sum of a is negative"},
             {bucket + "a_bucket{le=\"-1\"} 1\na_bucket{le=\"+Inf\"} 1\na_count 1\na_sum 1\n", "below zero"},
             {bucket + "a_count 1\na_sum 1\n", "+Inf"},
             {"# TYPE a gauge\na 1 # {} 1\n", "only buckets and counters"},
             {"# TYPE a counter\na_total 1 # {x=\"" + std::string(128, 'y') + "\"} 1\n", "129 characters"},
             {"# TYPE a counter\na_total 1 # {x=\"1\",x=\"2\"} 1\n", "given twice"},
             {"# TYPE a counter\na_total 1 # 1\n", "starts with its labels"},
             {"# TYPE a counter\na_total 1 # {x=\"y\"}\n", "value is missing"},
         }) {
        EXPECT_THAT(shown(text + "# EOF\n", kOpen),
                    testing::AllOf(testing::HasSubstr("error: "), testing::HasSubstr(want)))
            << text;
    }
}

TEST(OpenMetrics, MustEndWithEof) {
    EXPECT_THAT(shown("a 1\n", kOpen), testing::HasSubstr("line 2 column 1: the closing # EOF is missing"));
    EXPECT_THAT(shown("", kOpen), testing::HasSubstr("# EOF is missing"));
    EXPECT_THAT(shown("# EOF\na 1\n", kOpen), testing::HasSubstr("line 2 column 1: there is text after # EOF"));
    EXPECT_EQ(shown("# EOF\na 1\n", kProm), "a 1") << "a plain comment in the older format";
}

TEST(OpenMetrics, BadExemplarsAndTimesAreErrors) {
    EXPECT_THAT(shown("a 1 # x\n# EOF", kOpen), testing::HasSubstr("column 7: an exemplar starts with"));
    EXPECT_THAT(shown("a 1 # {a=\"b\"}\n# EOF", kOpen), testing::HasSubstr("the value is missing"));
    EXPECT_THAT(shown("a 1 NaN\n# EOF", kOpen), testing::HasSubstr("not a timestamp in seconds"));
    EXPECT_THAT(shown("a 1 1e300\n# EOF", kOpen), testing::HasSubstr("not a timestamp in seconds"));
    EXPECT_THAT(shown("# TYPE a untyped\n# EOF", kOpen), testing::HasSubstr("is not a metric type"));
}

TEST(PrometheusText, Metadata) {
    std::vector<std::string> seen;
    ExpositionVisitor visitor;
    visitor.on_sample = [](const ExpositionSample&) {};
    visitor.on_metadata = [&](const ExpositionMetadata& metadata) {
        seen.push_back(std::to_string(static_cast<int>(metadata.kind)) + " " + std::string(metadata.family) + ": " +
                       std::string(metadata.text));
    };
    const auto text = "# HELP a Two\\nlines, one \\\\.\n# TYPE a counter\n# HELP b_s \n# UNIT b_s s\n# EOF\n";
    ASSERT_TRUE(parse_exposition(text, kOpen, visitor).has_value());
    EXPECT_THAT(seen, testing::ElementsAre("1 a: Two\nlines, one \\.", "0 a: counter", "1 b_s: ", "2 b_s: s"));
}

TEST(PrometheusText, Limits) {
    const auto code = [](std::string_view text, ExpositionLimits limits) {
        const auto result = parse_exposition(text, kProm, limits);
        return result ? std::string("ok") : std::string(to_string(result.error().code));
    };
    EXPECT_EQ(code("a 1\nb 1\n", {.max_samples = 2}), "ok");
    EXPECT_EQ(code("a 1\nb 1\nc 1\n", {.max_samples = 2}), "resource_exhausted");
    EXPECT_EQ(code("abcdefgh 1\n", {.max_line_bytes = 10}), "ok");
    EXPECT_EQ(code("abcdefghi 1\n", {.max_line_bytes = 10}), "resource_exhausted");
    EXPECT_EQ(code("a{b=\"1\",c=\"2\"} 1\n", {.max_labels = 1}), "invalid_argument");
}

TEST(PrometheusText, FormatByContentType) {
    EXPECT_EQ(exposition_format("application/openmetrics-text; version=1.0.0; charset=utf-8"), kOpen);
    EXPECT_EQ(exposition_format("Application/OpenMetrics-Text"), kOpen);
    EXPECT_EQ(exposition_format("text/plain; version=0.0.4"), kProm);
    EXPECT_EQ(exposition_format(""), kProm);
}

TEST(PrometheusText, ReadsWhatOurOwnRegistryWrites) {
    metrics::Registry registry;
    registry.counter("c_total", "Help with \\ and\nnewline.", {"l"}).with({"a\"b\\c\nd"}).add(2);
    registry.histogram("h_seconds", "H.", {}, {0.1, 1}).with().observe(0.5);
    EXPECT_EQ(shown(registry.text()),
              "c_total,l=a\"b\\c\nd 2 | h_seconds_bucket,le=0.1 0 | h_seconds_bucket,le=1 1 | "
              "h_seconds_bucket,le=+Inf 1 | h_seconds_sum 0.5 | h_seconds_count 1");
}

}  // namespace
}  // namespace stoker::wire
