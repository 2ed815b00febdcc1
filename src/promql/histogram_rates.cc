// What a range of native histograms rose by.
#include <algorithm>
#include <limits>

#include "promql/histogram_math.h"
#include "promql/notes.h"
#include "promql/rates.h"

namespace stoker::promql::internal {

namespace {

using Hint = tsdb::Histogram::ResetHint;

bool is_gauge(const HistogramSample& sample) {
    return sample.value->reset_hint == Hint::Gauge;
}

tsdb::Histogram nothing_like(const tsdb::Histogram& other) {
    tsdb::Histogram empty;
    empty.schema = other.schema;
    empty.custom_bounds = other.custom_bounds;
    return empty;
}

}  // namespace

std::optional<tsdb::Histogram> histogram_rise(const Window& window, bool counter) {
    const std::span<const HistogramSample> samples = window.histograms;
    Notes& notes = *window.notes;
    const auto refuse = [&]() -> std::optional<tsdb::Histogram> {
        notes.warn(notes::mixed_schemas(window.metric), window.place);
        return std::nullopt;
    };
    if (counter && std::any_of(samples.begin(), samples.end(), is_gauge)) {
        notes.warn(notes::not_a_counter(window.metric), window.place);
    }
    if (!counter && !(is_gauge(samples.front()) && is_gauge(samples.back()))) {
        notes.warn(notes::not_a_gauge(window.metric), window.place);
    }

    const tsdb::Histogram& last = *samples.back().value;
    tsdb::Histogram nothing;
    const tsdb::Histogram* before = samples.front().value.get();
    // After a reset the first sample does not count, whatever its buckets were.
    const auto reset_before = [&](std::size_t i, const tsdb::Histogram& previous) {
        return restarted(started(samples[i - 1]), started(samples[i])) ||
               tsdb::internal::detect_reset(previous, *samples[i].value);
    };
    if (counter && reset_before(1, *before)) {
        nothing = nothing_like(*samples[1].value);
        before = &nothing;
    }
    const bool custom = before->custom();
    if (last.custom() != custom) return refuse();
    for (std::size_t i = 1; counter && i + 1 < samples.size(); ++i) {
        if (samples[i].value->custom() != custom) return refuse();
    }

    HistogramSum change(last, HistogramSum::Rounding::Plain);
    if (change.add(*before, -1).bounds_reconciled) {
        notes.inform(notes::bounds_reconciled("subtraction"), window.place);
    }
    for (std::size_t i = 1; counter && i < samples.size(); ++i) {
        if (reset_before(i, *before) && change.add(*before).bounds_reconciled) {
            notes.inform(notes::bounds_reconciled("addition"), window.place);
        }
        before = samples[i].value.get();
    }
    tsdb::Histogram result = change.value();
    // All that were looked at are shown at the lowest resolution among them.
    std::int32_t schema = result.schema;
    for (std::size_t i = 1; counter && i + 1 < samples.size(); ++i) schema = std::min(schema, samples[i].value->schema);
    if (!custom && schema < result.schema) {
        tsdb::Histogram coarse;
        coarse.schema = schema;
        coarse.zero_threshold = result.zero_threshold;
        add_to(result, coarse);
    }
    result.reset_hint = Hint::Gauge;
    return result;
}

}  // namespace stoker::promql::internal
