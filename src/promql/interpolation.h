// Values between two samples.
#pragma once

#include "promql/functions.h"
#include "promql/notes.h"

namespace stoker::promql::internal {

// On the line between the two; a counter that was reset in between is taken to have started from zero.
double interpolate(const tsdb::Sample& a, const tsdb::Sample& b, std::int64_t time, bool counter);

// REQUIRES: both exponential or both custom.
tsdb::Histogram interpolate(const HistogramSample& a, const HistogramSample& b, std::int64_t time, bool counter,
                            Notes& notes, std::size_t place);

// The samples of a range with a modifier as they are shown: from its very beginning to its very end, with values there
// that the modifier gives. Empty if nothing is in the range.
std::vector<tsdb::Sample> extended(const std::vector<tsdb::Sample>& samples, std::int64_t begin, std::int64_t end,
                                   Extension extension);

// Whether `next` follows a reset, gauges taken for counters.
inline bool detect_reset(const tsdb::Histogram& before, const tsdb::Histogram& next) {
    return tsdb::internal::detect_reset(before, next);
}

}  // namespace stoker::promql::internal
