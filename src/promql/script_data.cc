#include "promql/script_data.h"

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "promql/lexer.h"
#include "tsdb/histogram_buckets.h"

namespace stoker::promql {

namespace {

using tsdb::Histogram;
using Hint = Histogram::ResetHint;

// The hint that a store gives a histogram behind `before` (null: behind none). A store begins anew where the layout
// changes, and does not know then.
tsdb::HistogramPtr with_store_hint(const tsdb::HistogramPtr& histogram, const tsdb::HistogramPtr& before) {
    auto stored = std::make_shared<Histogram>(*histogram);
    if (stored->reset_hint == Hint::Gauge) return stored;
    if (stored->reset_hint == Hint::NotCounterReset) stored->reset_hint = Hint::Unknown;
    const bool follows = before != nullptr && before->reset_hint != Hint::Gauge && before->schema == stored->schema &&
                         before->zero_threshold == stored->zero_threshold &&
                         before->custom_bounds == stored->custom_bounds;
    const bool reset = !follows || tsdb::counter_reset_between(*before, *stored);
    stored->reset_hint = reset ? Hint::Unknown : Hint::NotCounterReset;
    return stored;
}

void store(MemoryQuerier& data, const SeriesText& series, std::int64_t step) {
    const tsdb::Labels& labels = series.labels;
    const std::vector<SeriesValue>& values = series.values;
    tsdb::HistogramPtr before;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const SeriesValue& value = values[i];
        const std::int64_t time = static_cast<std::int64_t>(i) * step;
        const std::int64_t start = series.starts.empty() || !series.starts[i] ? 0 : time + *series.starts[i];
        if (value.stale) {
            data.add(labels, {time, tsdb::stale_marker()}, nullptr, start);
            before = nullptr;
        } else if (value.point.histogram) {
            before = with_store_hint(value.point.histogram, before);
            data.add(labels, {time, tsdb::histogram_marker()}, before, start);
        } else if (present(value.point.value)) {
            data.add(labels, {time, value.point.value}, nullptr, start);
            before = nullptr;
        }
    }
}

// A classic histogram at one time.
struct Classic {
    std::map<double, double> buckets;  // Cumulative, by upper bound.
    std::optional<double> count;
    double sum = 0;
};

Result<Histogram> to_custom(Classic classic) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (!classic.count) classic.count = classic.buckets.empty() ? 0 : classic.buckets.rbegin()->second;
    classic.buckets.try_emplace(kInfinity, *classic.count);
    Histogram histogram;
    histogram.schema = Histogram::kCustomBuckets;
    histogram.count = *classic.count;
    histogram.sum = classic.sum;
    tsdb::SparseBuckets buckets;
    double before = 0;
    std::int32_t index = 0;
    for (const auto& [bound, count] : classic.buckets) {
        if (count < before) return Error{Errc::InvalidArgument, "counts of a classic histogram's buckets fall"};
        if (count != before) buckets.push_back({index, count - before});
        if (bound != kInfinity) histogram.custom_bounds.push_back(bound);
        before = count;
        ++index;
    }
    tsdb::from_sparse(buckets, histogram.positive_spans, histogram.positive);
    return histogram;
}

Error unmatched(const StartText& starts) {
    return Error{Errc::InvalidArgument, "the start timestamps of " + starts.labels->text() +
                                            " are not followed by its values, as many as there are of them"};
}

// Sorted by name and labels, then by step.
using Classics = std::map<tsdb::Labels, std::map<std::size_t, Classic>>;

void collect(Classics& classics, const SeriesText& series) {
    const std::string metric(series.labels.metric());
    const auto base = [&](std::string_view suffix) {
        return series.labels.with(tsdb::kMetricName, metric.substr(0, metric.size() - suffix.size())).with("le", "");
    };
    const auto each = [&](const tsdb::Labels& labels, auto set) {
        for (std::size_t i = 0; i < series.values.size(); ++i) {
            const Point& point = series.values[i].point;
            if (present(point.value) && !point.histogram) set(classics[labels][i], point.value);
        }
    };
    double bound = 0;
    if (metric.ends_with("_bucket")) {
        if (!read_number(series.labels.get("le"), bound) || std::isnan(bound)) return;
        each(base("_bucket"), [&](Classic& classic, double value) { classic.buckets[bound] = value; });
    } else if (metric.ends_with("_count")) {
        each(base("_count"), [](Classic& classic, double value) { classic.count = value; });
    } else if (metric.ends_with("_sum")) {
        each(base("_sum"), [](Classic& classic, double value) { classic.sum = value; });
    }
}

}  // namespace

Result<std::vector<SeriesText>> parse_load(const std::vector<std::string>& lines) {
    std::vector<SeriesText> all;
    std::vector<StartOffset> for_all;
    std::optional<StartText> own;  // Of the line that comes next.
    for (const std::string& line : lines) {
        TRY(std::optional<StartText> starts, parse_start_text(line));
        if (starts && own) return unmatched(*own);
        if (starts && !starts->labels) {
            for_all = std::move(starts->offsets);
        } else if (starts) {
            own = std::move(starts);
        } else {
            TRY(SeriesText series, parse_series_text(line));
            const std::size_t count = series.values.size();
            if (own) {
                if (own->labels != series.labels || own->offsets.size() != count) return unmatched(*own);
                series.starts = std::move(own->offsets);
                own.reset();
            } else {
                for (std::size_t i = 0; i < count && !for_all.empty(); ++i) {
                    series.starts.push_back(for_all[i % for_all.size()]);
                }
            }
            all.push_back(std::move(series));
        }
    }
    if (own) return unmatched(*own);
    return all;
}

Result<Unit> load_series(MemoryQuerier& data, const std::vector<SeriesText>& all, std::int64_t step,
                         bool custom_histograms) {
    Classics classics;
    std::map<tsdb::Labels, const SeriesText*> last;
    for (const SeriesText& series : all) last[series.labels] = &series;
    for (const SeriesText& series : all) {
        if (last.at(series.labels) != &series) continue;
        store(data, series, step);
        if (custom_histograms) collect(classics, series);
    }
    for (auto& [labels, by_step] : classics) {
        SeriesText series{labels, std::vector<SeriesValue>(by_step.rbegin()->first + 1)};
        for (auto& [at, classic] : by_step) {
            TRY(Histogram histogram, to_custom(std::move(classic)));
            series.values[at].point = {tsdb::histogram_marker(),
                                       std::make_shared<const Histogram>(std::move(histogram))};
        }
        store(data, series, step);
    }
    return Unit{};
}

}  // namespace stoker::promql
