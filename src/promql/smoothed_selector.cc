// A selector of instants with the modifier `smoothed`: values on the line between the samples around each step.
//
// Looks ahead as far as it looks back. Past a series' last sample its value stays until the lookback ends it; before
// the first there is none.
#include <algorithm>

#include "promql/evaluator.h"
#include "promql/interpolation.h"

namespace stoker::promql {

namespace {

using internal::interpolate;

template <typename Sample>
std::vector<Sample> within(const std::vector<Sample>& samples, std::int64_t from, std::int64_t to) {
    const auto after = [](std::int64_t time, const Sample& sample) { return time < sample.time; };
    return {std::upper_bound(samples.begin(), samples.end(), from, after),
            std::upper_bound(samples.begin(), samples.end(), to, after)};
}

template <typename Sample>
auto first_from(const std::vector<Sample>& samples, std::int64_t time) {
    return std::lower_bound(samples.begin(), samples.end(), time,
                            [](const Sample& sample, std::int64_t at) { return sample.time < at; });
}

Point number_at(const std::vector<tsdb::Sample>& samples, std::int64_t time) {
    const auto next = first_from(samples, time);
    if (next != samples.end() && next->time == time) return {next->value, nullptr};
    if (next == samples.begin()) return {};
    const auto before = next - 1;
    return {next == samples.end() ? before->value : interpolate(*before, *next, time, false), nullptr};
}

Point histogram_at(const std::vector<HistogramSample>& samples, std::int64_t time, Notes& notes,
                   std::string_view metric, std::size_t place) {
    using Hint = tsdb::Histogram::ResetHint;
    const auto next = first_from(samples, time);
    if (next != samples.end() && next->time == time) return {0, next->value};
    if (next == samples.begin()) return {};
    const auto before = next - 1;
    if (next == samples.end()) {
        // The hint tells of two neighbours; this one has none now.
        auto carried = std::make_shared<tsdb::Histogram>(*before->value);
        carried->reset_hint = Hint::Unknown;
        return {0, std::move(carried)};
    }
    if (before->value->custom() != next->value->custom()) {
        notes.warn(notes::mixed_schemas(metric), place);
        return {};
    }
    const bool counter = before->value->reset_hint != Hint::Gauge || next->value->reset_hint != Hint::Gauge;
    return {0, std::make_shared<const tsdb::Histogram>(interpolate(*before, *next, time, counter, notes, place))};
}

}  // namespace

Result<Frame> Evaluator::eval_smoothed(const Expr& expr) {
    // The range that the selector would have as an argument, from one lookback before to one after.
    const auto& selector = *expr.as<VectorSelector>();
    const std::int64_t lookback = context_.options().lookback.count();
    const std::int64_t first = shifted(selector.shift, 0) - lookback + 1;
    const std::int64_t last = shifted(selector.shift, steps_.count - 1) + lookback;
    TRY(const auto found, context_.querier().select(selector.matchers, first, last, 0));
    Frame frame;
    RangeSamples samples;
    for (const auto& series : found) {
        TRY_UNIT(context_.check());
        TRY_UNIT(load_samples(context_, *series, samples));
        const std::string metric(series->labels().metric());
        Column column{series->labels(), missing_values(steps_.count)};
        for (std::size_t step = 0; step < steps_.count; ++step) {
            const std::int64_t time = shifted(selector.shift, step);
            const auto numbers = within(samples.numbers, time - lookback, time + lookback);
            const auto histograms = within(samples.histograms, time - lookback, time + lookback);
            if (!numbers.empty() && !histograms.empty()) {
                context_.warn(notes::mixed_samples(metric), expr.begin);
            } else if (!numbers.empty()) {
                set_point(column, step, number_at(numbers, time));
            } else if (!histograms.empty()) {
                set_point(column, step, histogram_at(histograms, time, context_.notes(), metric, expr.begin));
            }
        }
        if (!any_present(column.values)) continue;
        TRY_UNIT(context_.charge(steps_.count));
        frame.push_back(std::move(column));
    }
    return frame;
}

}  // namespace stoker::promql
