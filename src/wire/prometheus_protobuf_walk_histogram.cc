// The histograms of the protobuf exposition: one message that can be classic, native, or both.
#include <cmath>
#include <limits>

#include "wire/prometheus_protobuf_buckets.h"
#include "wire/prometheus_protobuf_fields.h"
#include "wire/prometheus_protobuf_walk.h"

namespace stoker::wire {

using namespace buckets;

namespace {

// io.prometheus.client.Histogram.
constexpr std::uint32_t kSampleCount = 1;
constexpr std::uint32_t kSampleSum = 2;
constexpr std::uint32_t kBucket = 3;
constexpr std::uint32_t kSampleCountFloat = 4;
constexpr std::uint32_t kSchema = 5;
constexpr std::uint32_t kZeroThreshold = 6;
constexpr std::uint32_t kZeroCount = 7;
constexpr std::uint32_t kZeroCountFloat = 8;
constexpr std::uint32_t kNegativeSpan = 9;
constexpr std::uint32_t kNegativeDelta = 10;
constexpr std::uint32_t kNegativeCount = 11;
constexpr std::uint32_t kPositiveSpan = 12;
constexpr std::uint32_t kPositiveDelta = 13;
constexpr std::uint32_t kPositiveCount = 14;
constexpr std::uint32_t kCreated = 15;
constexpr std::uint32_t kExemplars = 16;
// Bucket.
constexpr std::uint32_t kCumulativeCount = 1;
constexpr std::uint32_t kUpperBound = 2;
constexpr std::uint32_t kBucketExemplar = 3;
constexpr std::uint32_t kCumulativeCountFloat = 4;

// A float count replaces the integer one if it is positive.
void override_if_positive(double& count, double replacement) {
    count = replacement > 0 ? replacement : count;
}

// A span of nothing marks a native histogram that has seen nothing yet.
void drop_marker(std::vector<NativeHistogram::Span>& spans) {
    if (spans.size() == 1 && spans.front().length == 0) {
        spans.clear();
    }
}

}  // namespace

void ProtobufWalk::histogram(Reader message) {
    const WholeHistogram whole = read_histogram(message);
    if (whole.is_native) {
        emit_native(whole);
    }
    if (!whole.is_native || classic_ == ClassicBuckets::Always) {
        emit_classic(whole);
    }
}

ProtobufWalk::WholeHistogram ProtobufWalk::read_histogram(Reader message) {
    WholeHistogram out;
    Deltas positive(buckets_left_, out.native.positive);
    Deltas negative(buckets_left_, out.native.negative);
    while (message.next()) {
        switch (message.tag_and_type()) {
            case bytes_field(kBucket):
                take_room(buckets_left_, 1);
                out.classic.push_back(read_bucket(message.get_message()));
                break;
            case bytes_field(kNegativeDelta):
                negative.add_packed(message);
                break;
            case varint_field(kNegativeDelta):
                negative.add(message.get_sint64());
                break;
            case bytes_field(kPositiveDelta):
                positive.add_packed(message);
                break;
            case varint_field(kPositiveDelta):
                positive.add(message.get_sint64());
                break;
            case bytes_field(kCreated):
                sample_.created_ms = read_time(message.get_message());
                break;
            case bytes_field(kExemplars):
                take_room(buckets_left_, 1);
                out.exemplars.push_back(read_exemplar(message.get_message()));
                break;
            default:
                read_native_field(message, out);
        }
    }
    const NativeHistogram& native = out.native;
    out.is_native = !native.positive_spans.empty() || !native.negative_spans.empty() || native.zero_threshold > 0 ||
                    native.zero_count > 0;
    drop_marker(out.native.positive_spans);
    if (family_.type == "gaugehistogram") {
        out.native.reset_hint = NativeHistogram::ResetHint::Gauge;
    }
    return out;
}

void ProtobufWalk::read_native_field(Reader& message, WholeHistogram& out) {
    NativeHistogram& native = out.native;
    switch (message.tag_and_type()) {
        case varint_field(kSampleCount):
            native.count = static_cast<double>(message.get_uint64());
            break;
        case fixed64_field(kSampleCountFloat):
            override_if_positive(native.count, message.get_double());
            break;
        case fixed64_field(kSampleSum):
            native.sum = message.get_double();
            break;
        case varint_field(kSchema):
            native.schema = message.get_sint32();
            break;
        case fixed64_field(kZeroThreshold):
            native.zero_threshold = message.get_double();
            break;
        case varint_field(kZeroCount):
            native.zero_count = static_cast<double>(message.get_uint64());
            break;
        case fixed64_field(kZeroCountFloat):
            override_if_positive(native.zero_count, message.get_double());
            break;
        case bytes_field(kNegativeSpan):
            read_span(message.get_message(), buckets_left_, native.negative_spans);
            break;
        case bytes_field(kNegativeCount):
            read_doubles(message, buckets_left_, native.negative);
            break;
        case fixed64_field(kNegativeCount):
            read_double(message, buckets_left_, native.negative);
            break;
        case bytes_field(kPositiveSpan):
            read_span(message.get_message(), buckets_left_, native.positive_spans);
            break;
        case bytes_field(kPositiveCount):
            read_doubles(message, buckets_left_, native.positive);
            break;
        case fixed64_field(kPositiveCount):
            read_double(message, buckets_left_, native.positive);
            break;
        default:
            message.skip();
    }
}

ProtobufWalk::ClassicBucket ProtobufWalk::read_bucket(Reader message) {
    ClassicBucket bucket;
    while (message.next()) {
        switch (message.tag_and_type()) {
            case varint_field(kCumulativeCount):
                bucket.count = static_cast<double>(message.get_uint64());
                break;
            case fixed64_field(kCumulativeCountFloat):
                override_if_positive(bucket.count, message.get_double());
                break;
            case fixed64_field(kUpperBound):
                bucket.upper_bound = message.get_double();
                break;
            case bytes_field(kBucketExemplar):
                bucket.exemplar.assign(1, read_exemplar(message.get_message()));
                break;
            default:
                message.skip();
        }
    }
    return bucket;
}

void ProtobufWalk::emit_native(const WholeHistogram& histogram) {
    // Exemplars of their own since client_model 0.6; older clients hang them on the classic buckets.
    std::vector<ProtobufExemplar> exemplars = histogram.exemplars;
    if (exemplars.empty()) {
        for (const ClassicBucket& bucket : histogram.classic) {
            exemplars.insert(exemplars.end(), bucket.exemplar.begin(), bucket.exemplar.end());
        }
    }
    count_sample();
    sample_.name = family_.name;
    sample_.value = 0;
    sample_.histogram = &histogram.native;
    sample_.exemplars = exemplars;
    visitor_.on_sample(sample_);
    sample_.histogram = nullptr;
    sample_.exemplars = {};
}

void ProtobufWalk::emit_classic(const WholeHistogram& histogram) {
    bool infinite = false;
    for (const ClassicBucket& bucket : histogram.classic) {
        infinite = infinite || (std::isinf(bucket.upper_bound) && bucket.upper_bound > 0);
        emit_with("_bucket", "le", bucket.upper_bound, bucket.count, bucket.exemplar);
    }
    if (!infinite) {
        emit_with("_bucket", "le", std::numeric_limits<double>::infinity(), histogram.native.count);
    }
    emit("_sum", histogram.native.sum);
    emit("_count", histogram.native.count);
}

}  // namespace stoker::wire
