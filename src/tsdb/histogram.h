// A native histogram: the distribution that one sample holds, in exponential buckets or in custom ones.
//
// Prometheus' data model (https://prometheus.io/docs/specs/native_histograms/): of schema n, bucket i has the upper
// bound 2^(i * 2^-n), so a bucket's neighbours follow from its index and only populated runs of buckets are kept.
// Counts are doubles throughout: an integer histogram is one whose counts happen to be whole, exact up to 2^53, and the
// store writes such counts down as integers. Immutable once shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"

namespace stoker::tsdb {

// A run of populated buckets.
struct BucketSpan {
    std::int32_t offset = 0;   // Empty buckets since the end of the run before; of the first run: index of its bucket.
    std::uint32_t length = 0;  // Buckets in it.
    friend bool operator==(const BucketSpan&, const BucketSpan&) = default;
};

struct Histogram {
    static constexpr std::int32_t kMinSchema = -4;
    static constexpr std::int32_t kMaxSchema = 8;
    static constexpr std::int32_t kCustomBuckets = -53;  // The schema of histograms with bounds of their own.

    enum class ResetHint : std::uint8_t { Unknown, CounterReset, NotCounterReset, Gauge };

    ResetHint reset_hint = ResetHint::Unknown;
    std::int32_t schema = 0;
    double zero_threshold = 0;  // Observations within plus or minus this are in the zero bucket.
    double zero_count = 0;
    double count = 0;
    double sum = 0;  // The staleness marker here makes the whole sample one.
    std::vector<BucketSpan> positive_spans;
    std::vector<BucketSpan> negative_spans;
    std::vector<double> positive;  // Counts of the buckets in the spans, not cumulative.
    std::vector<double> negative;
    std::vector<double> custom_bounds;  // Upper bounds, strictly ascending, +Inf left out; kCustomBuckets only.

    bool custom() const { return schema == kCustomBuckets; }
    bool stale() const;

    // Bit for bit, so that NaN equals itself and a staleness marker only itself.
    friend bool operator==(const Histogram& a, const Histogram& b);
};

// Null: the sample is a number.
using HistogramPtr = std::shared_ptr<const Histogram>;

// Whether senders may send this. Errors: InvalidArgument with the reason: a schema nobody knows, spans that don't fit
// the counts, negative counts, a count below the sum of the buckets, bounds out of order.
Result<Unit> validate(const Histogram& histogram);

// Whether `next` counts fewer observations than `before` somewhere (a counter reset), the resolution and the zero
// bucket allowed to have changed as the specification says. Histograms of gauges never do.
bool counter_reset_between(const Histogram& before, const Histogram& next);

namespace internal {
// The same, gauges looked at as if they were counters: what rate() does to them, with a warning.
bool detect_reset(const Histogram& before, const Histogram& next);
}  // namespace internal

std::size_t heap_bytes(const Histogram& histogram);

}  // namespace stoker::tsdb
