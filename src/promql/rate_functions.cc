// Functions that look at how a series moves within its window.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "promql/kahan.h"
#include "promql/range_functions.h"

namespace stoker::promql {

namespace {

using Samples = std::span<const tsdb::Sample>;

double seconds(std::int64_t millis) {
    return static_cast<double>(millis) / 1000;
}

// What the samples' values rose by, resets of a counter made up for.
double rise(Samples samples, bool counter) {
    double total = samples.back().value - samples.front().value;
    if (!counter) return total;
    double previous = samples.front().value;
    for (const tsdb::Sample& sample : samples.subspan(1)) {
        if (sample.value < previous) total += previous;
        previous = sample.value;
    }
    return total;
}

// The rise over the samples, stretched to the whole window: to its edges where samples come close enough to them, else
// by half of the mean gap; and a counter is not taken to a time at which it would have been below zero.
std::optional<double> extrapolated(const Window& window, bool counter, bool per_second) {
    const Samples samples = window.samples;
    if (samples.size() < 2) return std::nullopt;
    const double change = rise(samples, counter);
    double to_start = seconds(samples.front().time - window.begin);
    double to_end = seconds(window.end - samples.back().time);
    const double sampled = seconds(samples.back().time - samples.front().time);
    const double gap = sampled / static_cast<double>(samples.size() - 1);
    const double threshold = gap * 1.1;

    if (to_start >= threshold) to_start = gap / 2;
    if (counter) {
        double to_zero = to_start;
        if (change > 0 && samples.front().value >= 0) to_zero = sampled * (samples.front().value / change);
        to_start = std::min(to_start, to_zero);
    }
    if (to_end >= threshold) to_end = gap / 2;
    double factor = (sampled + to_start + to_end) / sampled;
    if (per_second) factor /= seconds(window.end - window.begin);
    return change * factor;
}

std::optional<double> last_two(const Window& window, bool counter, bool per_second) {
    if (window.samples.size() < 2) return std::nullopt;
    const tsdb::Sample& last = window.samples.back();
    const tsdb::Sample& previous = window.samples[window.samples.size() - 2];
    const double change = counter && last.value < previous.value ? last.value : last.value - previous.value;
    const std::int64_t gap = last.time - previous.time;
    if (gap == 0) return std::nullopt;
    return per_second ? change / seconds(gap) : change;
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

std::optional<double> fn_rate(const Window& window) {
    return extrapolated(window, true, true);
}
std::optional<double> fn_increase(const Window& window) {
    return extrapolated(window, true, false);
}
std::optional<double> fn_delta(const Window& window) {
    return extrapolated(window, false, false);
}
std::optional<double> fn_irate(const Window& window) {
    return last_two(window, true, true);
}
std::optional<double> fn_idelta(const Window& window) {
    return last_two(window, false, false);
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

// Holt's linear method. The factors were checked by the caller of the query; outside (0, 1) there is no result.
std::optional<double> fn_double_exponential_smoothing(const Window& window) {
    const double smoothing = window.params[0];
    const double trending = window.params[1];
    const Samples samples = window.samples;
    if (samples.size() < 2) return std::nullopt;
    if (!(smoothing > 0 && smoothing < 1 && trending > 0 && trending < 1)) return std::nullopt;
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

std::optional<double> fn_resets(const Window& window) {
    double count = 0;
    for (std::size_t i = 1; i < window.samples.size(); ++i) {
        if (window.samples[i].value < window.samples[i - 1].value) ++count;
    }
    return count;
}

std::optional<double> fn_changes(const Window& window) {
    double count = 0;
    for (std::size_t i = 1; i < window.samples.size(); ++i) {
        const double now = window.samples[i].value;
        const double before = window.samples[i - 1].value;
        if (now != before && !(std::isnan(now) && std::isnan(before))) ++count;
    }
    return count;
}

}  // namespace stoker::promql
