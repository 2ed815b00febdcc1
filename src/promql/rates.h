// What the functions of rates share.
#pragma once

#include <optional>

#include "promql/functions.h"

namespace stoker::promql::internal {

inline double seconds(std::int64_t millis) {
    return static_cast<double>(millis) / 1000;
}

inline Point point_of(std::optional<double> value) {
    return value ? Point{*value, nullptr} : Point{};
}

// The change `rise` over a window's numbers, stretched to the whole window. REQUIRES: at least two numbers.
double extrapolated(const Window& window, double rise, bool counter, bool per_second);

// What a window's histograms rose by, resets of a counter made up for. Nothing, with a warning, if they don't go
// together. REQUIRES: at least two of them.
std::optional<tsdb::Histogram> histogram_rise(const Window& window, bool counter);

// rate, increase and delta of a window with the modifier `anchored` or `smoothed`: no extrapolation, but from the
// sample before the window, or from what interpolation gives for its very ends. REQUIRES: only numbers or only
// histograms.
Point extended_rate(const Window& window, bool counter, bool per_second);

}  // namespace stoker::promql::internal
