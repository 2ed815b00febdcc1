// A native histogram as Prometheus' protobuf messages carry it, decoded once for remote write, remote read and the
// protobuf exposition.
//
// Integer histograms come as differences between neighbouring buckets, float ones as counts; both become plain counts
// here, exact up to 2^53. Nothing is validated but the encoding: spans and counts may still contradict each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stoker::wire {

struct NativeHistogram {
    struct Span {
        std::int32_t offset = 0;   // Empty buckets since the end of the span before; of the first: its bucket's index.
        std::uint32_t length = 0;  // Buckets in it.
        friend bool operator==(const Span&, const Span&) = default;
    };
    enum class ResetHint : std::uint8_t { Unknown, CounterReset, NotCounterReset, Gauge };

    std::int64_t time = 0;        // Milliseconds since 1970.
    std::int64_t start_time = 0;  // When it began to count; 0: not known.
    ResetHint reset_hint = ResetHint::Unknown;
    std::int32_t schema = 0;
    double zero_threshold = 0;
    double zero_count = 0;
    double count = 0;
    double sum = 0;
    std::vector<Span> positive_spans;
    std::vector<Span> negative_spans;
    std::vector<double> positive;  // Not cumulative.
    std::vector<double> negative;
    std::vector<double> custom_bounds;

    friend bool operator==(const NativeHistogram&, const NativeHistogram&) = default;
};

// Decodes the message prometheus.Histogram (the same fields in io.prometheus.write.v2). `buckets_left` bounds what is
// allocated: it goes down by every bucket, span and bound. Errors: InvalidArgument, ResourceExhausted.
Result<Unit> decode_histogram(std::string_view message, std::size_t& buckets_left, NativeHistogram& out);

// Appends the message. Counts that are all whole are written as integers, otherwise as a float histogram.
void encode_histogram(const NativeHistogram& histogram, std::string& out);

}  // namespace stoker::wire
