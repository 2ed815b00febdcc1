#include "promql/interpolation.h"

#include <algorithm>

#include "promql/histogram_math.h"

namespace stoker::promql::internal {

double interpolate(const tsdb::Sample& a, const tsdb::Sample& b, std::int64_t time, bool counter) {
    const double from = counter && b.value < a.value ? 0 : a.value;
    return from + (b.value - from) * static_cast<double>(time - a.time) / static_cast<double>(b.time - a.time);
}

tsdb::Histogram interpolate(const HistogramSample& a, const HistogramSample& b, std::int64_t time, bool counter,
                            Notes& notes, std::size_t place) {
    if (time == a.time) return *a.value;
    tsdb::Histogram result = *b.value;
    if (time == b.time) return result;
    const double fraction = static_cast<double>(time - a.time) / static_cast<double>(b.time - a.time);
    if (counter && detect_reset(*a.value, *b.value)) {
        multiply(result, fraction);
        return result;
    }
    if (subtract_from(result, *a.value).bounds_reconciled) notes.inform(notes::bounds_reconciled("subtraction"), place);
    multiply(result, fraction);
    if (add_to(result, *a.value).bounds_reconciled) notes.inform(notes::bounds_reconciled("addition"), place);
    return result;
}

std::vector<tsdb::Sample> extended(const std::vector<tsdb::Sample>& samples, std::int64_t begin, std::int64_t end,
                                   Extension extension) {
    if (samples.empty()) return {};
    const bool smoothed = extension == Extension::Smoothed;
    const auto last_sample = samples.end() - 1;
    const auto inside = std::find_if(samples.begin(), last_sample, [&](const auto& s) { return s.time > begin; });
    auto first = inside == samples.begin() ? inside : inside - 1;
    auto last = last_sample;
    if (smoothed) last = std::find_if(samples.begin(), last_sample, [&](const auto& s) { return s.time >= end; });
    if (last->time <= begin) return {};
    double left = first->value;
    if (smoothed && first->time < begin) left = interpolate(*first, *(first + 1), begin, false);
    double right = last->value;
    if (smoothed && last != samples.begin() && last->time > end) right = interpolate(*(last - 1), *last, end, false);
    std::vector<tsdb::Sample> shown = {{begin, left}};
    for (auto sample = first; sample <= last; ++sample) {
        if ((sample == first && sample->time <= begin) || (sample == last && sample->time >= end)) continue;
        shown.push_back(*sample);
    }
    shown.push_back({end, right});
    return shown;
}

}  // namespace stoker::promql::internal
