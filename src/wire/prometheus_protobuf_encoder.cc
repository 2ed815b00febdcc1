#include "wire/prometheus_protobuf_encoder.h"

#include <iterator>
#include <limits>
#include <protozero/pbf_writer.hpp>
#include <vector>

#include "base/text.h"

namespace stoker::wire {
namespace {

using protozero::pbf_writer;

// io.prometheus.client.
constexpr std::uint32_t kFamilyName = 1;
constexpr std::uint32_t kFamilyType = 3;
constexpr std::uint32_t kFamilyMetric = 4;
constexpr std::uint32_t kMetricLabel = 1;
constexpr std::uint32_t kMetricUntyped = 5;
constexpr std::uint32_t kMetricTime = 6;
constexpr std::uint32_t kMetricHistogram = 7;

int type_number(EncodedFamily type) {
    switch (type) {
        case EncodedFamily::Untyped:
            return 3;
        case EncodedFamily::Histogram:
            return 4;
        case EncodedFamily::GaugeHistogram:
            break;
    }
    return 5;
}

void write_labels(pbf_writer& metric, ProtobufExpositionEncoder::LabelSpan labels) {
    for (const auto& [name, value] : labels) {
        pbf_writer label(metric, kMetricLabel);
        label.add_string(1, name.data(), name.size());
        label.add_string(2, value.data(), value.size());
    }
}

void write_spans(pbf_writer& histogram, std::uint32_t field, const std::vector<NativeHistogram::Span>& spans) {
    for (const auto& span : spans) {
        pbf_writer one(histogram, field);
        one.add_sint32(1, span.offset);
        one.add_uint32(2, span.length);
    }
}

void write_native(pbf_writer& histogram, const NativeHistogram& from) {
    histogram.add_double(2, from.sum);
    histogram.add_double(4, from.count);
    histogram.add_sint32(5, from.schema);
    histogram.add_double(6, from.zero_threshold);
    histogram.add_double(8, from.zero_count);
    write_spans(histogram, 9, from.negative_spans);
    histogram.add_packed_double(11, from.negative.begin(), from.negative.end());
    // Without any span it would not be known for a native one.
    const std::vector<NativeHistogram::Span> marker(1);
    const bool bare = from.positive_spans.empty() && from.negative_spans.empty() && from.zero_threshold == 0;
    write_spans(histogram, 12, bare ? marker : from.positive_spans);
    histogram.add_packed_double(14, from.positive.begin(), from.positive.end());
}

void write_bucket(pbf_writer& histogram, double bound, double cumulative) {
    pbf_writer bucket(histogram, 3);
    bucket.add_double(2, bound);
    bucket.add_double(4, cumulative);
}

void write_classic(pbf_writer& histogram, const NativeHistogram& from) {
    std::vector<double> counts(from.custom_bounds.size() + 1);
    std::int64_t index = 0;
    std::size_t next = 0;
    for (const auto& span : from.positive_spans) {
        index += span.offset;
        for (std::uint32_t i = 0; i < span.length && next < from.positive.size(); ++i, ++index, ++next) {
            if (index >= 0 && index < static_cast<std::int64_t>(counts.size())) {
                counts[static_cast<std::size_t>(index)] = from.positive[next];
            }
        }
    }
    histogram.add_double(2, from.sum);
    double cumulative = 0;
    for (std::size_t i = 0; i < from.custom_bounds.size(); ++i) {
        cumulative += counts[i];
        write_bucket(histogram, from.custom_bounds[i], cumulative);
    }
    write_bucket(histogram, std::numeric_limits<double>::infinity(), from.count);
    histogram.add_double(4, from.count);
}

// What "q" says, 1 if it says nothing.
double weight(std::string_view range) {
    for (const std::string_view part : split(range, ';')) {
        const std::string_view parameter = trim(part);
        if (parameter.starts_with("q=") || parameter.starts_with("Q=")) {
            return parse_number(parameter.substr(2)).value_or(0);
        }
    }
    return 1;
}

}  // namespace

void ProtobufExpositionEncoder::begin_family(std::string_view name, EncodedFamily type) {
    end_family();
    pbf_writer fields(family_);
    fields.add_string(kFamilyName, name.data(), name.size());
    fields.add_enum(kFamilyType, type_number(type));
}

void ProtobufExpositionEncoder::add(LabelSpan labels, double value, std::int64_t time) {
    pbf_writer fields(family_);
    pbf_writer metric(fields, kFamilyMetric);
    write_labels(metric, labels);
    pbf_writer(metric, kMetricUntyped).add_double(1, value);
    metric.add_int64(kMetricTime, time);
}

void ProtobufExpositionEncoder::add(LabelSpan labels, const NativeHistogram& histogram, std::int64_t time) {
    pbf_writer fields(family_);
    pbf_writer metric(fields, kFamilyMetric);
    write_labels(metric, labels);
    {
        pbf_writer value(metric, kMetricHistogram);
        if (histogram.custom_bounds.empty()) {
            write_native(value, histogram);
        } else {
            write_classic(value, histogram);
        }
    }
    metric.add_int64(kMetricTime, time);
}

void ProtobufExpositionEncoder::end_family() {
    if (!family_.empty()) {
        protozero::write_varint(std::back_inserter(body_), family_.size());
        body_ += family_;
        family_.clear();
    }
}

std::string ProtobufExpositionEncoder::finish() {
    end_family();
    return std::move(body_);
}

bool prefers_protobuf(std::string_view accept) {
    double protobuf = 0;
    double text = 0;
    for (const std::string_view range : split(accept, ',')) {
        const std::string_view media = trim(range.substr(0, range.find(';')));
        if (equals_ignore_case(media, "text/plain")) text = std::max(text, weight(range));
        if (is_protobuf_exposition(trim(range))) {
            // The three encodings of this message share a media type: this is the one that must be named.
            const bool named = range.find("io.prometheus.client.MetricFamily") != std::string_view::npos &&
                               range.find("delimited") != std::string_view::npos;
            if (named) protobuf = std::max(protobuf, weight(range));
        }
    }
    return protobuf > 0 && protobuf >= text;
}

}  // namespace stoker::wire
