// *_over_time of numbers: a window's values as a set.
#include <algorithm>
#include <cmath>

#include "promql/kahan.h"
#include "promql/notes.h"
#include "promql/range_functions.h"

namespace stoker::promql {

namespace {

std::vector<double> values_of(const Window& window) {
    std::vector<double> values;
    values.reserve(window.samples.size());
    for (const tsdb::Sample& sample : window.samples) values.push_back(sample.value);
    return values;
}

// When the sample was taken that no later one beats.
template <typename Beats>
double seconds_of_best(const Window& window, Beats beats) {
    const tsdb::Sample* best = &window.samples.front();
    for (const tsdb::Sample& sample : window.samples) {
        if (beats(sample.value, best->value)) best = &sample;
    }
    return static_cast<double>(best->time) / 1000;
}

}  // namespace

// NaN only wins when there is nothing else.
std::optional<double> fn_min_over_time(const Window& window) {
    double least = window.samples.front().value;
    for (const tsdb::Sample& sample : window.samples) {
        if (sample.value < least || std::isnan(least)) least = sample.value;
    }
    return least;
}

std::optional<double> fn_max_over_time(const Window& window) {
    double most = window.samples.front().value;
    for (const tsdb::Sample& sample : window.samples) {
        if (sample.value > most || std::isnan(most)) most = sample.value;
    }
    return most;
}

std::optional<double> fn_ts_of_min_over_time(const Window& window) {
    return seconds_of_best(window, [](double value, double best) { return value <= best || std::isnan(best); });
}

std::optional<double> fn_ts_of_max_over_time(const Window& window) {
    return seconds_of_best(window, [](double value, double best) { return value >= best || std::isnan(best); });
}

std::optional<double> fn_stdvar_over_time(const Window& window) {
    KahanVariance variance;
    for (const tsdb::Sample& sample : window.samples) variance.add(sample.value);
    return variance.variance();
}

std::optional<double> fn_stddev_over_time(const Window& window) {
    return std::sqrt(*fn_stdvar_over_time(window));
}

std::optional<double> fn_mad_over_time(const Window& window) {
    std::vector<double> values = values_of(window);
    const auto nan = [](double value) { return std::isnan(value); };
    if (std::any_of(values.begin(), values.end(), nan)) return std::nan("");
    const double median = quantile(0.5, values);
    for (double& value : values) value = std::abs(value - median);
    return quantile(0.5, std::move(values));
}

std::optional<double> fn_quantile_over_time(const Window& window) {
    const double q = window.params[0];
    if (!(q >= 0 && q <= 1)) window.notes->warn(notes::bad_quantile(q), window.place);
    return quantile(window.params[0], values_of(window));
}

}  // namespace stoker::promql
