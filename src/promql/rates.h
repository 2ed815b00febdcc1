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

// What a rate has to know of a window's numbers, besides their rise.
struct Ends {
    std::int64_t first_time;
    std::int64_t last_time;
    double first;
    std::size_t count;
};

// The change `rise` over a window's numbers, stretched to the whole window. REQUIRES: at least two numbers.
double extrapolated(const Ends& ends, std::int64_t begin, std::int64_t end, double rise, bool counter, bool per_second);
double extrapolated(const Window& window, double rise, bool counter, bool per_second);

// What a window's histograms rose by, resets of a counter made up for. Nothing, with a warning, if they don't go
// together. REQUIRES: at least two of them.
std::optional<tsdb::Histogram> histogram_rise(const Window& window, bool counter);

// When a counter began that was sampled at `time`; 0: not known.
struct Started {
    std::int64_t start = 0;
    std::int64_t time = 0;
};

// Whether it began anew between two samples.
bool restarted(Started before, Started next);

inline Started started(const Window& window, std::size_t number) {
    return {window.starts.empty() ? 0 : window.starts[number], window.samples[number].time};
}
inline Started started(const HistogramSample& sample) {
    return {sample.start, sample.time};
}

// When the counter began, if its first sample tells of a beginning within the window; else 0.
std::int64_t created_within(const Window& window);

// rate and increase of a counter that began at `created`, within the window. Since it was zero then, what its first
// sample shows counts too, and one sample will do.
Point since_creation(const Window& window, std::int64_t created, bool per_second);

// Says so if samples disagree on when their counter began.
void note_overlaps(const Window& window);

// What a window's numbers rose by, resets of a counter made up for. REQUIRES: at least one number.
double number_rise(const Window& window, bool counter);

// rate, increase and delta of a window with the modifier `anchored` or `smoothed`: no extrapolation, but from the
// sample before the window, or from what interpolation gives for its very ends. REQUIRES: only numbers or only
// histograms.
Point extended_rate(const Window& window, bool counter, bool per_second);

}  // namespace stoker::promql::internal
