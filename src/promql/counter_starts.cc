// What start timestamps say of counters: OpenMetrics' _created, OTLP's start_time_unix_nano.
#include <algorithm>
#include <memory>
#include <utility>

#include "promql/histogram_math.h"
#include "promql/notes.h"
#include "promql/rates.h"

namespace stoker::promql::internal {

namespace {

// A counter that had begun before the sample before was taken, but at another time than that sample says.
bool overlaps(Started before, Started next) {
    return next.start != 0 && next.start < before.time && next.start != before.start;
}

// Zero at `created`, and not stretched to before that.
double stretch(const Window& window, std::int64_t created, std::int64_t first, std::int64_t last, std::size_t count) {
    const double gap = count > 1 ? seconds(last - first) / static_cast<double>(count - 1) : 0;
    double to_end = seconds(window.end - last);
    if (to_end >= gap * 1.1) to_end = gap / 2;
    const double known = seconds(last - created);
    return (known + to_end) / known;
}

}  // namespace

bool restarted(Started before, Started next) {
    if (next.start == 0 || next.start >= next.time || next.start < before.time) return false;
    if (next.start > before.time) return true;
    // It began when the sample before was taken, which belongs to it, unless that sample names another beginning.
    return before.start != 0 && before.start < before.time;
}

void note_overlaps(const Window& window) {
    bool any = false;
    for (std::size_t i = 1; i < window.starts.size(); ++i) {
        any = any || overlaps(started(window, i - 1), started(window, i));
    }
    for (std::size_t i = 1; i < window.histograms.size(); ++i) {
        any = any || overlaps(started(window.histograms[i - 1]), started(window.histograms[i]));
    }
    if (any) window.notes->warn(notes::starts_overlap(window.metric), window.place);
}

std::int64_t created_within(const Window& window) {
    const Started first = window.samples.empty() ? started(window.histograms.front()) : started(window, 0);
    return first.start > window.begin && first.start < first.time ? first.start : 0;
}

Point since_creation(const Window& window, std::int64_t created, bool per_second) {
    const double per = per_second ? seconds(window.end - window.begin) : 1;
    if (window.histograms.empty()) {
        const auto samples = window.samples;
        const double factor = stretch(window, created, samples.front().time, samples.back().time, samples.size()) / per;
        return {(number_rise(window, true) + samples.front().value) * factor, nullptr};
    }
    const auto samples = window.histograms;
    const tsdb::Histogram& first = *samples.front().value;
    std::optional<tsdb::Histogram> change = first;
    if (samples.size() > 1) {
        change = histogram_rise(window, true);
        if (!change) return {};
        const Combination combined = add_to(*change, first);
        if (combined.incompatible) {
            window.notes->warn(notes::mixed_schemas(window.metric), window.place);
            return {};
        }
        if (combined.bounds_reconciled) window.notes->inform(notes::bounds_reconciled("addition"), window.place);
        change->reset_hint = tsdb::Histogram::ResetHint::Gauge;
    }
    multiply(*change, stretch(window, created, samples.front().time, samples.back().time, samples.size()) / per);
    return {0, std::make_shared<const tsdb::Histogram>(*std::move(change))};
}

}  // namespace stoker::promql::internal
