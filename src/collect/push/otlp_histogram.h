// OTLP's histograms as native ones, and adding one exponential histogram to another.
//
// OTLP's bucket k of scale s holds (2^(k * 2^-s), 2^((k+1) * 2^-s)]; Prometheus counts by upper bounds, so the same
// bucket has the index k + 1 there. Pure functions.
#pragma once

#include "base/result.h"
#include "tsdb/histogram.h"
#include "wire/otlp.h"

namespace stoker::collect {

// Where a point does not say how wide its zero bucket is.
inline constexpr double kDefaultZeroThreshold = 1e-128;

// An exponential histogram. Scales above 8 lose resolution until they are 8. Errors: InvalidArgument (a scale below -4,
// a bucket past the range of indexes, counts that contradict each other).
Result<tsdb::HistogramPtr> native_histogram(const wire::otlp::Point& point);

// A histogram with bounds of its own, as one with custom buckets. Errors: InvalidArgument.
Result<tsdb::HistogramPtr> custom_histogram(const wire::otlp::Point& point);

// Whether the buckets of a histogram with bounds of its own fit together. Errors: InvalidArgument.
Result<Unit> check_buckets(const wire::otlp::Point& point);

// Whether an exponential histogram can be added to others. Errors: InvalidArgument.
Result<Unit> check_exponential(const wire::otlp::Point& point);

// Adds the observations of `more` to `into`, at the resolution of the coarser and with the wider zero bucket; coarser
// still if there were more than `most_buckets` on one side. REQUIRES: check_exponential() accepts
// both.
void add_exponential(wire::otlp::Point& into, wire::otlp::Point more, std::size_t most_buckets = 640);

}  // namespace stoker::collect
