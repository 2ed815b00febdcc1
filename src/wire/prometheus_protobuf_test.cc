// Families written by hand as a client library would, read as samples.
#include "wire/prometheus_protobuf.h"

#include <gtest/gtest.h>

#include <functional>
#include <protozero/pbf_writer.hpp>

#include "base/text.h"

namespace stoker::wire {
namespace {

using protozero::pbf_writer;

enum Type { Counter, Gauge, Summary, Untyped, Histogram, GaugeHistogram };

void add_label(pbf_writer& message, const std::string& name, const std::string& value) {
    pbf_writer label(message, 1);
    label.add_string(1, name);
    label.add_string(2, value);
}

void add_time(pbf_writer& message, std::uint32_t field, std::int64_t seconds, std::int32_t nanos) {
    pbf_writer time(message, field);
    time.add_int64(1, seconds);
    time.add_int32(2, nanos);
}

// One delimited family with one metric {job="a"}, whose value `fill` writes under `field`.
std::string family(const std::string& name, Type type, std::uint32_t field,
                   const std::function<void(pbf_writer&)>& fill) {
    std::string message;
    {
        pbf_writer fields(message);
        fields.add_string(1, name);
        fields.add_string(2, "Help.");
        fields.add_enum(3, type);
        {
            pbf_writer metric(fields, 4);
            add_label(metric, "job", "a");
            pbf_writer value(metric, field);
            fill(value);
        }
        fields.add_string(5, "seconds");
    }
    std::string framed;
    protozero::write_varint(std::back_inserter(framed), message.size());
    return framed + message;
}

// A line a sample and family.
std::string show(const std::string& body, ClassicBuckets classic = ClassicBuckets::OnlyWithoutNative,
                 const ProtobufLimits& limits = {}) {
    std::string out;
    ProtobufVisitor visitor;
    visitor.on_family = [&](const ProtobufFamily& family) {
        out += "# " + std::string(family.name) + " " + std::string(family.type) + " " + std::string(family.help) + " " +
               std::string(family.unit) + "\n";
    };
    const auto labels_text = [](const LabelViewList& labels) {
        std::string text;
        for (const auto& [name, value] : labels) {
            text += (text.empty() ? "" : ",") + std::string(name) + "=" + std::string(value);
        }
        return "{" + text + "}";
    };
    visitor.on_sample = [&](const ProtobufSample& sample) {
        out += std::string(sample.name) + labels_text(sample.labels);
        if (sample.histogram != nullptr) {
            const auto& h = *sample.histogram;
            out += " schema " + std::to_string(h.schema) + " count " + format_number(h.count) + " zero " +
                   format_number(h.zero_count) + " [";
            for (const double count : h.positive) out += format_number(count) + " ";
            out += "|";
            for (const double count : h.negative) out += " " + format_number(count);
            out += "]" + std::string(h.reset_hint == NativeHistogram::ResetHint::Gauge ? " gauge" : "");
        } else {
            out += " " + format_number(sample.value);
        }
        if (sample.time_ms) out += " @" + std::to_string(*sample.time_ms);
        if (sample.created_ms) out += " since " + std::to_string(*sample.created_ms);
        for (const auto& exemplar : sample.exemplars) {
            out += " # " + labels_text(exemplar.labels) + " " + format_number(exemplar.value);
            if (exemplar.time_ms) out += " @" + std::to_string(*exemplar.time_ms);
        }
        out += "\n";
    };
    const auto parsed = parse_protobuf_exposition(body, visitor, classic, limits);
    return parsed ? out : std::string(to_string(parsed.error().code));
}

void add_exemplar(pbf_writer& message, std::uint32_t field) {
    pbf_writer exemplar(message, field);
    add_label(exemplar, "trace_id", "t");
    exemplar.add_double(2, 0.5);
    add_time(exemplar, 3, 10, 500'000'000);
}

TEST(PrometheusProtobuf, CountersGaugesAndUntyped) {
    const std::string body = family("c_total", Counter, 3,
                                    [](pbf_writer& counter) {
                                        counter.add_double(1, 7);
                                        add_exemplar(counter, 2);
                                        add_time(counter, 3, 5, 0);
                                    }) +
                             family("g", Gauge, 2, [](pbf_writer& gauge) { gauge.add_double(1, -1.5); }) +
                             family("u", Untyped, 5, [](pbf_writer& untyped) { untyped.add_double(1, 3); });
    EXPECT_EQ(show(body),
              "# c_total counter Help. seconds\nc_total{job=a} 7 since 5000 # {trace_id=t} 0.5 @10500\n"
              "# g gauge Help. seconds\ng{job=a} -1.5\n# u unknown Help. seconds\nu{job=a} 3\n");
}

TEST(PrometheusProtobuf, Summaries) {
    EXPECT_EQ(show(family("s", Summary, 4,
                          [](pbf_writer& summary) {
                              summary.add_uint64(1, 9);
                              summary.add_double(2, 4.5);
                              pbf_writer quantile(summary, 3);
                              quantile.add_double(1, 1);
                              quantile.add_double(2, 0.7);
                          })),
              "# s summary Help. seconds\ns{job=a,quantile=1.0} 0.7\ns_sum{job=a} 4.5\ns_count{job=a} 9\n");
}

void fill_classic(pbf_writer& histogram) {
    histogram.add_uint64(1, 5);
    histogram.add_double(2, 2.5);
    for (const double bound : {0.1, 1.0}) {
        pbf_writer bucket(histogram, 3);
        bucket.add_uint64(1, bound < 1 ? 2 : 4);
        bucket.add_double(2, bound);
        if (bound == 1.0) add_exemplar(bucket, 3);
    }
}

const std::string kClassicLines =
    "h_bucket{job=a,le=0.1} 2\nh_bucket{job=a,le=1.0} 4 # {trace_id=t} 0.5 @10500\nh_bucket{job=a,le=+Inf} 5\n"
    "h_sum{job=a} 2.5\nh_count{job=a} 5\n";

TEST(PrometheusProtobuf, ClassicHistograms) {
    EXPECT_EQ(show(family("h", Histogram, 7, fill_classic)), "# h histogram Help. seconds\n" + kClassicLines);
}

TEST(PrometheusProtobuf, NativeHistogramsPackedOrNot) {
    for (const bool packed : {true, false}) {
        const auto fill = [packed](pbf_writer& histogram) {
            fill_classic(histogram);
            histogram.add_sint32(5, 3);
            histogram.add_double(6, 0.001);
            histogram.add_uint64(7, 1);
            {
                pbf_writer span(histogram, 12);
                span.add_sint32(1, -2);
                span.add_uint32(2, 3);
            }
            const std::int64_t deltas[] = {2, -1, 1};
            if (packed) {
                histogram.add_packed_sint64(13, std::begin(deltas), std::end(deltas));
            } else {
                for (const auto delta : deltas) histogram.add_sint64(13, delta);
            }
        };
        const std::string native = "h{job=a} schema 3 count 5 zero 1 [2 1 2 |]";
        const std::string exemplar = " # {trace_id=t} 0.5 @10500\n";
        EXPECT_EQ(show(family("h", Histogram, 7, fill)), "# h histogram Help. seconds\n" + native + exemplar);
        EXPECT_EQ(show(family("h", Histogram, 7, fill), ClassicBuckets::Always),
                  "# h histogram Help. seconds\n" + native + exemplar + kClassicLines);
        EXPECT_EQ(show(family("h", GaugeHistogram, 7, fill)),
                  "# h gaugehistogram Help. seconds\n" + native + " gauge" + exemplar);
    }
}

TEST(PrometheusProtobuf, NativeHistogramThatHasSeenNothing) {
    EXPECT_EQ(show(family("h", Histogram, 7,
                          [](pbf_writer& histogram) {
                              pbf_writer span(histogram, 12);
                              span.add_sint32(1, 0);
                              span.add_uint32(2, 0);
                          })),
              "# h histogram Help. seconds\nh{job=a} schema 0 count 0 zero 0 [|]\n");
}

TEST(PrometheusProtobuf, HalfAnExpositionIsNone) {
    const std::string body = family("h", Histogram, 7, fill_classic) +
                             family("g", Gauge, 2, [](pbf_writer& gauge) { gauge.add_double(1, 1); });
    for (std::size_t size = 1; size < body.size(); ++size) {
        const std::string shown = show(body.substr(0, size));
        EXPECT_TRUE(shown == "invalid_argument" || shown == "# h histogram Help. seconds\n" + kClassicLines) << size;
    }
    EXPECT_EQ(show(""), "");
}

TEST(PrometheusProtobuf, HoldsItsLimits) {
    const std::string body = family("h", Histogram, 7, fill_classic);
    EXPECT_EQ(show(body, ClassicBuckets::Always, {.max_samples = 4}), "resource_exhausted");
    EXPECT_EQ(show(body, ClassicBuckets::Always, {.max_labels = 0}), "resource_exhausted");
    EXPECT_EQ(show(body, ClassicBuckets::Always, {.max_buckets = 1}), "resource_exhausted");
}

TEST(PrometheusProtobuf, KnowsItsContentType) {
    EXPECT_TRUE(is_protobuf_exposition(
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"));
    EXPECT_TRUE(is_protobuf_exposition("application/vnd.google.protobuf"));
    EXPECT_FALSE(is_protobuf_exposition("application/vnd.google.protobuf; encoding=text"));
    EXPECT_FALSE(is_protobuf_exposition("text/plain; version=0.0.4"));
    EXPECT_FALSE(is_protobuf_exposition(""));
}

}  // namespace
}  // namespace stoker::wire
