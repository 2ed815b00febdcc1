// *_over_time: a window's values as a set.
#include <cmath>

#include "promql/kahan.h"
#include "promql/range_functions.h"

namespace stoker::promql {

namespace {

std::vector<double> values_of(const Window& window) {
    std::vector<double> values;
    values.reserve(window.samples.size());
    for (const tsdb::Sample& sample : window.samples) values.push_back(sample.value);
    return values;
}

}  // namespace

std::optional<double> fn_avg_over_time(const Window& window) {
    KahanMean mean;
    for (const tsdb::Sample& sample : window.samples) mean.add(sample.value);
    return mean.value();
}

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

std::optional<double> fn_sum_over_time(const Window& window) {
    KahanSum sum;
    for (const tsdb::Sample& sample : window.samples) sum.add(sample.value);
    return sum.value();
}

std::optional<double> fn_count_over_time(const Window& window) {
    return static_cast<double>(window.samples.size());
}

std::optional<double> fn_first_over_time(const Window& window) {
    return window.samples.front().value;
}

std::optional<double> fn_last_over_time(const Window& window) {
    return window.samples.back().value;
}

std::optional<double> fn_present_over_time(const Window&) {
    return 1;
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
    const double median = quantile(0.5, values);
    for (double& value : values) value = std::abs(value - median);
    return quantile(0.5, std::move(values));
}

std::optional<double> fn_quantile_over_time(const Window& window) {
    return quantile(window.params[0], values_of(window));
}

}  // namespace stoker::promql
