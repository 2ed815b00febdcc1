#include "wire/prometheus_protobuf_histogram.h"

#include <algorithm>
#include <cmath>
#include <protozero/pbf_writer.hpp>

#include "wire/prometheus_protobuf_buckets.h"
#include "wire/prometheus_protobuf_fields.h"

namespace stoker::wire {

using namespace buckets;

namespace {

// Field numbers of prometheus.Histogram.
constexpr std::uint32_t kCountInt = 1;
constexpr std::uint32_t kCountFloat = 2;
constexpr std::uint32_t kSum = 3;
constexpr std::uint32_t kSchema = 4;
constexpr std::uint32_t kZeroThreshold = 5;
constexpr std::uint32_t kZeroCountInt = 6;
constexpr std::uint32_t kZeroCountFloat = 7;
constexpr std::uint32_t kNegativeSpans = 8;
constexpr std::uint32_t kNegativeDeltas = 9;
constexpr std::uint32_t kNegativeCounts = 10;
constexpr std::uint32_t kPositiveSpans = 11;
constexpr std::uint32_t kPositiveDeltas = 12;
constexpr std::uint32_t kPositiveCounts = 13;
constexpr std::uint32_t kResetHint = 14;
constexpr std::uint32_t kTimestamp = 15;
constexpr std::uint32_t kCustomValues = 16;
constexpr std::uint32_t kStartTimestamp = 17;

using protozero::pbf_reader;

NativeHistogram::ResetHint reset_hint(std::int32_t value) {
    const bool known = value >= 0 && value <= static_cast<std::int32_t>(NativeHistogram::ResetHint::Gauge);
    return known ? static_cast<NativeHistogram::ResetHint>(value) : NativeHistogram::ResetHint::Unknown;
}

void read_buckets(pbf_reader& reader, std::size_t& left, NativeHistogram& out, Deltas& positive, Deltas& negative) {
    // Repeated numbers come packed, or, from old encoders, one by one.
    switch (reader.tag_and_type()) {
        case bytes_field(kNegativeSpans):
            return read_span(reader.get_message(), left, out.negative_spans);
        case bytes_field(kNegativeDeltas):
            return negative.add_packed(reader);
        case varint_field(kNegativeDeltas):
            return negative.add(reader.get_sint64());
        case bytes_field(kNegativeCounts):
            return read_doubles(reader, left, out.negative);
        case fixed64_field(kNegativeCounts):
            return read_double(reader, left, out.negative);
        case bytes_field(kPositiveSpans):
            return read_span(reader.get_message(), left, out.positive_spans);
        case bytes_field(kPositiveDeltas):
            return positive.add_packed(reader);
        case varint_field(kPositiveDeltas):
            return positive.add(reader.get_sint64());
        case bytes_field(kPositiveCounts):
            return read_doubles(reader, left, out.positive);
        case fixed64_field(kPositiveCounts):
            return read_double(reader, left, out.positive);
        case bytes_field(kCustomValues):
            return read_doubles(reader, left, out.custom_bounds);
        case fixed64_field(kCustomValues):
            return read_double(reader, left, out.custom_bounds);
        default:
            reader.skip();
    }
}

void read(pbf_reader reader, std::size_t& left, NativeHistogram& out) {
    Deltas positive(left, out.positive);
    Deltas negative(left, out.negative);
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case varint_field(kCountInt):
                out.count = static_cast<double>(reader.get_uint64());
                break;
            case fixed64_field(kCountFloat):
                out.count = reader.get_double();
                break;
            case fixed64_field(kSum):
                out.sum = reader.get_double();
                break;
            case varint_field(kSchema):
                out.schema = reader.get_sint32();
                break;
            case fixed64_field(kZeroThreshold):
                out.zero_threshold = reader.get_double();
                break;
            case varint_field(kZeroCountInt):
                out.zero_count = static_cast<double>(reader.get_uint64());
                break;
            case fixed64_field(kZeroCountFloat):
                out.zero_count = reader.get_double();
                break;
            case varint_field(kResetHint):
                out.reset_hint = reset_hint(reader.get_enum());
                break;
            case varint_field(kTimestamp):
                out.time = reader.get_int64();
                break;
            case varint_field(kStartTimestamp):
                out.start_time = reader.get_int64();
                break;
            default:
                read_buckets(reader, left, out, positive, negative);
        }
    }
}

bool is_whole(double value) {
    constexpr double kExact = 9007199254740992.0;  // 2^53
    return value >= 0 && value <= kExact && std::trunc(value) == value;
}

bool all_whole(const NativeHistogram& h) {
    return is_whole(h.count) && is_whole(h.zero_count) && std::all_of(h.positive.begin(), h.positive.end(), is_whole) &&
           std::all_of(h.negative.begin(), h.negative.end(), is_whole);
}

using protozero::pbf_writer;

void write_spans(pbf_writer& message, std::uint32_t field, const std::vector<NativeHistogram::Span>& spans) {
    for (const NativeHistogram::Span& span : spans) {
        pbf_writer one(message, field);
        one.add_sint32(kSpanOffset, span.offset);
        one.add_uint32(kSpanLength, span.length);
    }
}

void write_deltas(pbf_writer& message, std::uint32_t field, const std::vector<double>& counts) {
    std::vector<std::int64_t> deltas;
    deltas.reserve(counts.size());
    std::int64_t before = 0;
    for (const double count : counts) {
        const auto whole = static_cast<std::int64_t>(count);
        deltas.push_back(whole - before);
        before = whole;
    }
    message.add_packed_sint64(field, deltas.begin(), deltas.end());
}

void write_counts(pbf_writer& message, std::uint32_t field, const std::vector<double>& counts) {
    message.add_packed_double(field, counts.begin(), counts.end());
}

}  // namespace

Result<Unit> decode_histogram(std::string_view message, std::size_t& buckets_left, NativeHistogram& out) {
    return guarded("histogram", [&] { read(reader_of(message), buckets_left, out); });
}

void encode_histogram(const NativeHistogram& histogram, std::string& out) {
    pbf_writer message(out);
    const bool whole = all_whole(histogram);
    if (whole) {
        message.add_uint64(kCountInt, static_cast<std::uint64_t>(histogram.count));
    } else {
        message.add_double(kCountFloat, histogram.count);
    }
    message.add_double(kSum, histogram.sum);
    message.add_sint32(kSchema, histogram.schema);
    message.add_double(kZeroThreshold, histogram.zero_threshold);
    if (whole) {
        message.add_uint64(kZeroCountInt, static_cast<std::uint64_t>(histogram.zero_count));
    } else {
        message.add_double(kZeroCountFloat, histogram.zero_count);
    }
    write_spans(message, kNegativeSpans, histogram.negative_spans);
    write_spans(message, kPositiveSpans, histogram.positive_spans);
    if (whole) {
        write_deltas(message, kNegativeDeltas, histogram.negative);
        write_deltas(message, kPositiveDeltas, histogram.positive);
    } else {
        write_counts(message, kNegativeCounts, histogram.negative);
        write_counts(message, kPositiveCounts, histogram.positive);
    }
    message.add_enum(kResetHint, static_cast<std::int32_t>(histogram.reset_hint));
    message.add_int64(kTimestamp, histogram.time);
    write_counts(message, kCustomValues, histogram.custom_bounds);
    if (histogram.start_time != 0) {
        message.add_int64(kStartTimestamp, histogram.start_time);
    }
}

}  // namespace stoker::wire
