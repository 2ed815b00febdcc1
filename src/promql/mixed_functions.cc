// Functions of a window that take numbers and histograms alike.
#include <cmath>
#include <limits>
#include <memory>

#include "promql/histogram_math.h"
#include "promql/kahan.h"
#include "promql/notes.h"
#include "promql/range_functions.h"
#include "promql/rates.h"

namespace stoker::promql {

namespace {

using Hint = tsdb::Histogram::ResetHint;

bool refuse_mix(const Window& window) {
    if (window.samples.empty() || window.histograms.empty()) return false;
    window.notes->warn(notes::mixed_samples(window.metric), window.place);
    return true;
}

template <typename Total>
Point total_of_histograms(const Window& window) {
    const std::span<const HistogramSample> samples = window.histograms;
    Notes& notes = *window.notes;
    Total total(*samples.front().value);
    bool reset = false;
    bool not_reset = false;
    bool reconciled = false;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const tsdb::Histogram& histogram = *samples[i].value;
        reset = reset || histogram.reset_hint == Hint::CounterReset;
        not_reset = not_reset || histogram.reset_hint == Hint::NotCounterReset;
        if (i == 0) continue;
        const Combination combined = total.add(histogram);
        if (combined.incompatible) {
            notes.warn(notes::mixed_schemas(window.metric), window.place);
            return {};
        }
        reconciled = reconciled || combined.bounds_reconciled;
    }
    if (reset && not_reset) notes.warn(notes::hints_collide("aggregation"), window.place);
    if (reconciled) notes.inform(notes::bounds_reconciled("aggregation"), window.place);
    return {0, std::make_shared<const tsdb::Histogram>(total.value())};
}

struct Neighbour {
    Point point;
    internal::Started when;
};

// Calls `visit(before, next)` for each two neighbours of the window by time.
template <typename Visit>
void visit_neighbours(const Window& window, Visit visit) {
    std::size_t number = 0;
    std::size_t histogram = 0;
    Neighbour before;
    bool any = false;
    while (number < window.samples.size() || histogram < window.histograms.size()) {
        const bool takes_number =
            histogram == window.histograms.size() ||
            (number < window.samples.size() && window.samples[number].time < window.histograms[histogram].time);
        Neighbour next;
        if (takes_number) {
            next = {{window.samples[number].value, nullptr}, internal::started(window, number)};
            ++number;
        } else {
            const HistogramSample& sample = window.histograms[histogram++];
            next = {{0, sample.value}, internal::started(sample)};
        }
        if (any) visit(before, next);
        before = std::move(next);
        any = true;
    }
}

// Under `anchored` a window begins with the sample before it, of whichever kind. False if nothing came after that.
bool drop_before_anchor(Window& window) {
    if (window.extension != Extension::Anchored) return true;
    const auto earlier = [&](const auto& samples) {
        std::size_t count = 0;
        while (count < samples.size() && samples[count].time <= window.begin) ++count;
        return count;
    };
    std::size_t numbers = earlier(window.samples);
    std::size_t histograms = earlier(window.histograms);
    if (numbers == window.samples.size() && histograms == window.histograms.size()) return false;
    const bool number_anchors =
        numbers > 0 && (histograms == 0 || window.samples[numbers - 1].time >= window.histograms[histograms - 1].time);
    if (number_anchors) {
        --numbers;
    } else if (histograms > 0) {
        --histograms;
    }
    window.samples = window.samples.subspan(numbers);
    window.histograms = window.histograms.subspan(histograms);
    return true;
}

std::int64_t first_time(const Window& window) {
    const std::int64_t never = std::numeric_limits<std::int64_t>::max();
    return std::min(window.samples.empty() ? never : window.samples.front().time,
                    window.histograms.empty() ? never : window.histograms.front().time);
}

std::int64_t last_time(const Window& window) {
    const std::int64_t never = std::numeric_limits<std::int64_t>::min();
    return std::max(window.samples.empty() ? never : window.samples.back().time,
                    window.histograms.empty() ? never : window.histograms.back().time);
}

template <typename Differs>
Point count_neighbours(Window window, Differs differs) {
    if (!drop_before_anchor(window)) return {};
    double count = 0;
    visit_neighbours(window, [&](const Neighbour& before, const Neighbour& next) {
        const bool kinds_differ = (before.point.histogram == nullptr) != (next.point.histogram == nullptr);
        if (kinds_differ || differs(before, next)) ++count;
    });
    return {count, nullptr};
}

}  // namespace

Point fn_resets(const Window& window) {
    const bool knows_starts = window.extension == Extension::None;
    return count_neighbours(window, [=](const Neighbour& earlier, const Neighbour& later) {
        if (knows_starts && internal::restarted(earlier.when, later.when)) return true;
        const Point& before = earlier.point;
        const Point& next = later.point;
        if (next.histogram) return tsdb::internal::detect_reset(*before.histogram, *next.histogram);
        return next.value < before.value;
    });
}

Point fn_changes(const Window& window) {
    return count_neighbours(window, [](const Neighbour& earlier, const Neighbour& later) {
        const Point& before = earlier.point;
        const Point& next = later.point;
        if (next.histogram) return !same_data(*before.histogram, *next.histogram);
        return next.value != before.value && !(std::isnan(next.value) && std::isnan(before.value));
    });
}

Point fn_avg_over_time(const Window& window) {
    if (refuse_mix(window)) return {};
    if (!window.histograms.empty()) return total_of_histograms<HistogramMean>(window);
    KahanMean mean;
    for (const tsdb::Sample& sample : window.samples) mean.add(sample.value);
    return {mean.value(), nullptr};
}

Point fn_sum_over_time(const Window& window) {
    if (refuse_mix(window)) return {};
    if (!window.histograms.empty()) return total_of_histograms<HistogramSum>(window);
    KahanSum sum;
    for (const tsdb::Sample& sample : window.samples) sum.add(sample.value);
    return {sum.value(), nullptr};
}

Point fn_count_over_time(const Window& window) {
    return {static_cast<double>(window.samples.size() + window.histograms.size()), nullptr};
}

Point fn_first_over_time(const Window& window) {
    const bool number = window.histograms.empty() ||
                        (!window.samples.empty() && window.samples.front().time < window.histograms.front().time);
    return number ? Point{window.samples.front().value, nullptr} : Point{0, window.histograms.front().value};
}

Point fn_last_over_time(const Window& window) {
    const bool number = window.histograms.empty() ||
                        (!window.samples.empty() && window.samples.back().time > window.histograms.back().time);
    return number ? Point{window.samples.back().value, nullptr} : Point{0, window.histograms.back().value};
}

Point fn_present_over_time(const Window&) {
    return {1, nullptr};
}

Point fn_ts_of_first_over_time(const Window& window) {
    return {internal::seconds(first_time(window)), nullptr};
}

Point fn_ts_of_last_over_time(const Window& window) {
    return {internal::seconds(last_time(window)), nullptr};
}

}  // namespace stoker::promql
