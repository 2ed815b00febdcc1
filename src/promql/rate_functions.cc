// Functions that look at how a series moves within its window.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "promql/histogram_math.h"
#include "promql/kahan.h"
#include "promql/notes.h"
#include "promql/range_functions.h"
#include "promql/rates.h"

namespace stoker::promql {

namespace {

using internal::extended_rate;
using internal::histogram_rise;
using internal::point_of;
using internal::seconds;
using Samples = std::span<const tsdb::Sample>;

// How much longer the window is than the samples in it reach: to its edges where samples come close enough to them,
// else by half of the mean gap; and a counter is not taken to a time at which it would have been below zero.
// `to_zero`: how long before the first sample it would have been, negative if that can't be said.
double stretch(std::int64_t begin, std::int64_t end, std::int64_t first, std::int64_t last, std::size_t count,
               double to_zero) {
    double to_start = seconds(first - begin);
    double to_end = seconds(end - last);
    const double sampled = seconds(last - first);
    const double gap = sampled / static_cast<double>(count - 1);
    const double threshold = gap * 1.1;
    if (to_start >= threshold) to_start = gap / 2;
    if (to_zero >= 0) to_start = std::min(to_start, to_zero);
    if (to_end >= threshold) to_end = gap / 2;
    return (sampled + to_start + to_end) / sampled;
}

Point extrapolated_histogram(const Window& window, bool counter, bool per_second) {
    const auto samples = window.histograms;
    if (samples.size() < 2) return {};
    std::optional<tsdb::Histogram> change = histogram_rise(window, counter);
    if (!change) return {};
    const double first = samples.front().value->count;
    double to_zero = -1;
    if (counter && change->count > 0 && first >= 0) {
        to_zero = seconds(samples.back().time - samples.front().time) * (first / change->count);
    }
    double factor =
        stretch(window.begin, window.end, samples.front().time, samples.back().time, samples.size(), to_zero);
    if (per_second) factor /= seconds(window.end - window.begin);
    multiply(*change, factor);
    return {0, std::make_shared<const tsdb::Histogram>(*std::move(change))};
}

Point rate_of(const Window& window, bool counter, bool per_second) {
    if (!window.samples.empty() && !window.histograms.empty()) {
        window.notes->warn(notes::mixed_samples(window.metric), window.place);
        return {};
    }
    if (window.extension != Extension::None) return extended_rate(window, counter, per_second);
    if (counter) {
        internal::note_overlaps(window);
        const std::int64_t created = internal::created_within(window);
        if (created != 0) return internal::since_creation(window, created, per_second);
    }
    if (!window.histograms.empty()) return extrapolated_histogram(window, counter, per_second);
    if (window.samples.size() < 2) return {};
    return {internal::extrapolated(window, internal::number_rise(window, counter), counter, per_second), nullptr};
}

// The newest two samples of a window, whichever they are.
struct Newest {
    internal::Started when;
    double value = 0;
    tsdb::HistogramPtr histogram;
};

bool newest_two(const Window& window, Newest& before, Newest& last) {
    if (window.samples.size() + window.histograms.size() < 2) return false;
    std::size_t numbers = window.samples.size();
    std::size_t histograms = window.histograms.size();
    const auto take = [&]() -> Newest {
        const bool number = histograms == 0 ||
                            (numbers > 0 && window.samples[numbers - 1].time > window.histograms[histograms - 1].time);
        if (number) {
            --numbers;
            return {internal::started(window, numbers), window.samples[numbers].value, nullptr};
        }
        const HistogramSample& sample = window.histograms[--histograms];
        return {internal::started(sample), 0, sample.value};
    };
    last = take();
    before = take();
    return last.when.time != before.when.time;
}

Point histogram_step(const Window& window, const Newest& before, const Newest& last, bool counter) {
    using Hint = tsdb::Histogram::ResetHint;
    const bool gauges = last.histogram->reset_hint == Hint::Gauge && before.histogram->reset_hint == Hint::Gauge;
    const bool any_gauge = last.histogram->reset_hint == Hint::Gauge || before.histogram->reset_hint == Hint::Gauge;
    if (counter && any_gauge) window.notes->warn(notes::not_a_counter(window.metric), window.place);
    if (!counter && !gauges) window.notes->warn(notes::not_a_gauge(window.metric), window.place);
    auto result = std::make_shared<tsdb::Histogram>(*last.histogram);
    const bool reset = counter && (internal::restarted(before.when, last.when) ||
                                   tsdb::internal::detect_reset(*before.histogram, *last.histogram));
    if (!reset) {
        const Combination combined = subtract_from(*result, *before.histogram);
        if (combined.incompatible) {
            window.notes->warn(notes::mixed_schemas(window.metric), window.place);
            return {};
        }
        if (combined.bounds_reconciled) window.notes->inform(notes::bounds_reconciled("subtraction"), window.place);
    }
    result->reset_hint = Hint::Gauge;
    compact(*result);
    if (counter) divide(*result, seconds(last.when.time - before.when.time));
    return {0, std::move(result)};
}

Point last_two(const Window& window, bool counter) {
    Newest before;
    Newest last;
    if (!newest_two(window, before, last)) return {};
    if ((before.histogram == nullptr) != (last.histogram == nullptr)) {
        window.notes->warn(notes::mixed_samples(window.metric), window.place);
        return {};
    }
    if (last.histogram) return histogram_step(window, before, last, counter);
    if (!counter) return {last.value - before.value, nullptr};
    const bool reset = last.value < before.value || internal::restarted(before.when, last.when);
    const double change = reset ? last.value : last.value - before.value;
    return {change / seconds(last.when.time - before.when.time), nullptr};
}

struct Line {
    double slope;
    double intercept;  // At the time asked for.
};

// Least squares.
Line fit(Samples samples, std::int64_t intercept_time) {
    KahanSum x_sum;
    KahanSum y_sum;
    KahanSum xy_sum;
    KahanSum xx_sum;
    const double first = samples.front().value;
    bool constant = true;
    for (const tsdb::Sample& sample : samples) {
        if (sample.value != first) constant = false;
        const double x = seconds(sample.time - intercept_time);
        x_sum.add(x);
        y_sum.add(sample.value);
        xy_sum.add(x * sample.value);
        xx_sum.add(x * x);
    }
    if (constant) {
        const double nan = std::numeric_limits<double>::quiet_NaN();
        return std::isinf(first) ? Line{nan, nan} : Line{0, first};
    }
    const auto total = [](const KahanSum& sum) { return sum.raw() + sum.correction(); };
    const auto n = static_cast<double>(samples.size());
    const double covariance = total(xy_sum) - total(x_sum) * total(y_sum) / n;
    const double variance = total(xx_sum) - total(x_sum) * total(x_sum) / n;
    const double slope = covariance / variance;
    return {slope, total(y_sum) / n - slope * total(x_sum) / n};
}

}  // namespace

double internal::number_rise(const Window& window, bool counter) {
    const Samples samples = window.samples;
    double total = samples.back().value - samples.front().value;
    if (!counter) return total;
    double previous = samples.front().value;
    if (window.starts.empty()) {
        for (const tsdb::Sample& sample : samples.subspan(1)) {
            if (sample.value < previous) total += previous;
            previous = sample.value;
        }
        return total;
    }
    for (std::size_t i = 1; i < samples.size(); ++i) {
        const bool reset = samples[i].value < previous || restarted(started(window, i - 1), started(window, i));
        if (reset) total += previous;
        previous = samples[i].value;
    }
    return total;
}

double internal::extrapolated(const Ends& ends, std::int64_t begin, std::int64_t end, double change, bool counter,
                              bool per_second) {
    double to_zero = -1;
    if (counter && change > 0 && ends.first >= 0) {
        to_zero = seconds(ends.last_time - ends.first_time) * (ends.first / change);
    }
    double factor = stretch(begin, end, ends.first_time, ends.last_time, ends.count, to_zero);
    if (per_second) factor /= seconds(end - begin);
    return change * factor;
}

double internal::extrapolated(const Window& window, double change, bool counter, bool per_second) {
    const Samples samples = window.samples;
    const Ends ends{samples.front().time, samples.back().time, samples.front().value, samples.size()};
    return extrapolated(ends, window.begin, window.end, change, counter, per_second);
}

Point fn_rate(const Window& window) {
    return rate_of(window, true, true);
}
Point fn_increase(const Window& window) {
    return rate_of(window, true, false);
}
Point fn_delta(const Window& window) {
    return rate_of(window, false, false);
}
Point fn_irate(const Window& window) {
    return last_two(window, true);
}
Point fn_idelta(const Window& window) {
    return last_two(window, false);
}

std::optional<double> fn_deriv(const Window& window) {
    if (window.samples.size() < 2) return std::nullopt;
    return fit(window.samples, window.samples.front().time).slope;
}

std::optional<double> fn_predict_linear(const Window& window) {
    if (window.samples.size() < 2) return std::nullopt;
    const Line line = fit(window.samples, window.time);
    return line.slope * window.params[0] + line.intercept;
}

// Holt's linear method. The factors were checked before: both are within (0, 1).
std::optional<double> fn_double_exponential_smoothing(const Window& window) {
    const double smoothing = window.params[0];
    const double trending = window.params[1];
    const Samples samples = window.samples;
    if (samples.size() < 2) return std::nullopt;
    double level = samples[0].value;
    double trend = samples[1].value - samples[0].value;
    double previous = 0;
    for (std::size_t i = 1; i < samples.size(); ++i) {
        const double scaled = smoothing * samples[i].value;
        if (i > 1) trend = trending * (level - previous) + (1 - trending) * trend;
        previous = level;
        level = scaled + (1 - smoothing) * (level + trend);
    }
    return level;
}

}  // namespace stoker::promql
