// Rates with the modifiers `anchored` and `smoothed`.
#include <algorithm>
#include <memory>

#include "promql/histogram_math.h"
#include "promql/interpolation.h"
#include "promql/notes.h"
#include "promql/rates.h"

namespace stoker::promql::internal {

namespace {

using Histogram = tsdb::Histogram;

// Which samples a window with an extension is about: from the last one at or before its beginning, if there is one;
// and, smoothed, up to the first one at or after its end.
template <typename Sample>
std::optional<std::pair<std::size_t, std::size_t>> bounds(const Window& window, std::span<const Sample> samples) {
    const auto after_begin = std::find_if(samples.begin(), samples.end() - 1,
                                          [&](const Sample& sample) { return sample.time > window.begin; });
    const auto found = static_cast<std::size_t>(after_begin - samples.begin());
    const std::size_t first = found == 0 ? 0 : found - 1;
    std::size_t last = samples.size() - 1;
    if (window.extension == Extension::Smoothed) {
        const auto at_end = std::find_if(samples.begin(), samples.end() - 1,
                                         [&](const Sample& sample) { return sample.time >= window.end; });
        last = static_cast<std::size_t>(at_end - samples.begin());
    }
    if (samples[last].time <= window.begin) return std::nullopt;
    if (window.extension == Extension::Smoothed && samples[first].time > window.end) return std::nullopt;
    return std::pair{first, last};
}

double number_rise(const Window& window, std::size_t first, std::size_t last, bool counter) {
    const std::span<const tsdb::Sample> samples = window.samples;
    const bool smoothed = window.extension == Extension::Smoothed;
    double left = samples[first].value;
    if (smoothed && samples[first].time < window.begin) {
        left = interpolate(samples[first], samples[first + 1], window.begin, counter);
    }
    double right = samples[last].value;
    if (smoothed && last > 0 && samples[last].time > window.end) {
        right = interpolate(samples[last - 1], samples[last], window.end, counter);
    }
    double rise = right - left;
    if (!counter) return rise;
    double before = left;
    const auto note_reset = [&](double value) {
        if (value < before) rise += before;
        before = value;
    };
    for (std::size_t i = first; i <= last; ++i) {
        const std::int64_t time = samples[i].time;
        if ((i == first && time <= window.begin) || (i == last && time >= window.end)) continue;
        note_reset(samples[i].value);
    }
    note_reset(right);
    return rise;
}

// Adds what was lost at resets between the samples. `left` and `right` stand for the first and the last one.
// False if they don't go together.
bool make_up_for_resets(const Window& window, std::size_t first, std::size_t last, const Histogram& left,
                        const Histogram& right, Histogram& rise) {
    const auto samples = window.histograms;
    const Histogram* before = &left;
    std::size_t next = first + 1;
    const bool smoothed = window.extension == Extension::Smoothed;
    if (smoothed && samples[first].time < window.begin && first + 1 <= last &&
        detect_reset(*samples[first].value, *samples[first + 1].value)) {
        // The interpolation on the left already began anew there.
        before = samples[first + 1].value.get();
        ++next;
    }
    if (next > last) return true;
    const auto note_reset = [&](const Histogram& histogram) {
        if (detect_reset(*before, histogram)) {
            const Combination combined = add_to(rise, *before);
            if (combined.incompatible) return false;
            if (combined.bounds_reconciled) window.notes->inform(notes::bounds_reconciled("addition"), window.place);
        }
        before = &histogram;
        return true;
    };
    for (std::size_t i = next; i < last; ++i) {
        if (!note_reset(*samples[i].value)) return false;
    }
    return note_reset(right);
}

Point histogram_rate(const Window& window, std::size_t first, std::size_t last, bool counter, bool per_second) {
    const auto samples = window.histograms;
    Notes& notes = *window.notes;
    const auto refuse = [&]() -> Point {
        notes.warn(notes::mixed_schemas(window.metric), window.place);
        return {};
    };
    for (std::size_t i = first; i <= last; ++i) {
        if (samples[i].value->custom() != samples[first].value->custom()) return refuse();
        if (counter && samples[i].value->reset_hint == Histogram::ResetHint::Gauge) {
            notes.warn(notes::not_a_counter(window.metric), window.place);
        }
    }
    const bool smoothed = window.extension == Extension::Smoothed;
    Histogram left = *samples[first].value;
    if (smoothed && samples[first].time < window.begin) {
        left = interpolate(samples[first], samples[first + 1], window.begin, counter, notes, window.place);
    }
    Histogram right = *samples[last].value;
    if (smoothed && last > 0 && samples[last].time > window.end) {
        right = interpolate(samples[last - 1], samples[last], window.end, counter, notes, window.place);
    }
    const bool gauges = left.reset_hint == Histogram::ResetHint::Gauge && right.reset_hint == left.reset_hint;
    if (!counter && !gauges) notes.warn(notes::not_a_gauge(window.metric), window.place);
    Histogram rise = right;
    if (subtract_from(rise, left).bounds_reconciled)
        notes.inform(notes::bounds_reconciled("subtraction"), window.place);
    if (counter && !make_up_for_resets(window, first, last, left, right, rise)) return refuse();
    if (per_second) divide(rise, seconds(window.end - window.begin));
    rise.reset_hint = Histogram::ResetHint::Gauge;
    return {0, std::make_shared<const Histogram>(std::move(rise))};
}

}  // namespace

Point extended_rate(const Window& window, bool counter, bool per_second) {
    if (!window.histograms.empty()) {
        const auto range = bounds(window, window.histograms);
        return range ? histogram_rate(window, range->first, range->second, counter, per_second) : Point{};
    }
    const auto range = bounds(window, window.samples);
    if (!range) return {};
    const double rise = number_rise(window, range->first, range->second, counter);
    return {per_second ? rise / seconds(window.end - window.begin) : rise, nullptr};
}

}  // namespace stoker::promql::internal
