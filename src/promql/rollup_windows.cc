#include "promql/rollup_windows.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "promql/rates.h"

namespace stoker::promql {

namespace {

using tsdb::kLongRollup;
using tsdb::kShortRollup;
using tsdb::Rollup;
using tsdb::Sample;

// Edges read so many times less than there is in all, or rollups do not pay.
constexpr std::int64_t kLeastGain = 4;
// Rows of fewer samples cost more than these.
constexpr std::uint64_t kLeastSamples = 30;

std::int64_t floor_to(std::int64_t time, std::int64_t resolution) {
    const std::int64_t rest = time % resolution;
    return time - (rest < 0 ? rest + resolution : rest);
}

std::int64_t ceil_to(std::int64_t time, std::int64_t resolution) {
    const std::int64_t down = floor_to(time, resolution);
    return down == time ? time : down + resolution;
}

// Whether all windows begin and end between whole hours.
bool aligned(const WindowCall& call) {
    const auto whole = [](std::int64_t time) { return time % kLongRollup == 0; };
    return whole(call.range) && whole(call.times.first()) &&
           (call.times.fixed || call.times.steps.count == 1 || whole(call.times.steps.interval));
}

Rollup rollup_of(const Sample& sample) {
    Rollup rollup;
    rollup.start = sample.time - 1;
    rollup.end = sample.time;
    rollup.first_time = rollup.last_time = sample.time;
    rollup.first = rollup.last = rollup.sum = rollup.min = rollup.max = sample.value;
    rollup.count = 1;
    return rollup;
}

}  // namespace

void WindowTotal::add(const Rollup& rollup) {
    sum.add(rollup.sum);
    if (all.count == 0) {
        all = rollup;
    } else {
        extend(all, rollup);
    }
}

void WindowTotal::add(const Sample& sample) {
    add(rollup_of(sample));
}

RollupWindows::Kind RollupWindows::kind_of(const WindowCall& call) {
    constexpr std::pair<std::string_view, Kind> kKinds[] = {
        {"sum_over_time", Kind::Sum},
        {"avg_over_time", Kind::Avg},
        {"count_over_time", Kind::Count},
        {"min_over_time", Kind::Min},
        {"max_over_time", Kind::Max},
        {"first_over_time", Kind::First},
        {"last_over_time", Kind::Last},
        {"present_over_time", Kind::Present},
        {"rate", Kind::Rate},
        {"increase", Kind::Increase},
        {"delta", Kind::Delta},
    };
    if (call.extension != Extension::None || call.range < kShortRollup) return Kind::None;
    for (const auto& [name, kind] : kKinds) {
        if (name == call.function->name) return kind;
    }
    return Kind::None;
}

bool RollupWindows::pays(const WindowCall& call) {
    if (kind_of(call) == Kind::None || call.range < 2 * kLongRollup) return false;
    const std::int64_t span = call.times.last() - call.times.first() + call.range;
    if (span < kLeastGain * kLongRollup) return false;
    if (aligned(call)) return true;
    const auto windows = static_cast<std::int64_t>(call.times.fixed ? 1 : call.times.steps.count);
    return windows <= span / (2 * kLongRollup * kLeastGain);
}

RollupWindows::RollupWindows(Context& context, const WindowCall& call)
    : context_(context), call_(call), kind_(kind_of(call)), pays_(pays(call)) {}

// Fills rows_, raw_since_ and reached_; false if rollups spare nothing.
bool RollupWindows::find_rows(const tsdb::Series& series) {
    const std::int64_t first = call_.times.first() - call_.range;
    const std::int64_t last = call_.times.last();
    raw_since_ = series.raw_since();
    rows_.clear();
    low_ = 0;
    if (first < raw_since_) {
        const std::int64_t resolution = aligned(call_) ? kLongRollup : kShortRollup;
        reached_ = std::min(raw_since_, ceil_to(last, resolution));
        series.rollups(resolution, floor_to(first, resolution), reached_, rows_);
        if (pays_ && floor_to(last, kLongRollup) > reached_) {
            reached_ = series.rollups(kLongRollup, reached_, floor_to(last, kLongRollup), rows_);
        }
        return true;
    }
    const std::int64_t start = ceil_to(first, kLongRollup);
    const std::int64_t end = floor_to(last, kLongRollup);
    if (!pays_ || start >= end) return false;
    reached_ = series.rollups(kLongRollup, start, end, rows_);
    std::uint64_t samples = 0;
    for (const Rollup& row : rows_) samples += row.count;
    if (samples < rows_.size() * kLeastSamples) {
        pays_ = false;  // Series of one selector are mostly alike.
        return false;
    }
    return reached_ - start >= (last - first) / kLeastGain;
}

// The numbers with from < time <= to, without markers. False if there are others, or if they can't all be read.
bool RollupWindows::read_samples(const tsdb::Series& series, std::int64_t from, std::int64_t to,
                                 std::vector<Sample>& out) {
    out.clear();
    if (from >= to) return true;
    const auto walk = series.samples_between(from + 1, to);
    for (auto block = walk->next_block(); !block.samples.empty(); block = walk->next_block()) {
        if (!block.histograms.empty() || !block.starts.empty()) return false;
        std::remove_copy_if(block.samples.begin(), block.samples.end(), std::back_inserter(out),
                            [](const Sample& sample) { return tsdb::is_stale(sample.value); });
    }
    return walk->status().has_value();
}

bool RollupWindows::add_samples(const tsdb::Series& series, std::int64_t from, std::int64_t to, WindowTotal& total) {
    if (from >= to) return true;
    std::span<const Sample> samples = samples_;
    if (from < reached_) {
        if (!read_samples(series, from, std::min(to, reached_), edge_)) return false;
        for (const Sample& sample : edge_) total.add(sample);
        from = reached_;
    }
    const auto later = [](std::int64_t time, const Sample& sample) { return time < sample.time; };
    for (auto at = std::upper_bound(samples.begin(), samples.end(), from, later); at != samples.end() && at->time <= to;
         ++at) {
        total.add(*at);
    }
    return true;
}

// What (begin, end] holds: an edge, whole rows, and the rest. False if it can't be told.
bool RollupWindows::total_of(const tsdb::Series& series, std::int64_t begin, std::int64_t end, WindowTotal& total) {
    std::int64_t at = begin;  // Up to here all is in.
    if (begin >= raw_since_) {
        const std::int64_t whole = std::min(ceil_to(begin, kLongRollup), end);
        if (begin < reached_ && !add_samples(series, begin, whole, total)) return false;
        at = begin < reached_ ? whole : begin;
    }
    // A row that reaches past either edge is for others; but before raw_since_ its end alone counts.
    while (low_ < rows_.size() && (rows_[low_].end <= begin || (begin >= raw_since_ && rows_[low_].start < begin))) {
        ++low_;
    }
    for (std::size_t i = low_; i < rows_.size() && rows_[i].end <= end; ++i) total.add(rows_[i]);
    std::int64_t whole = std::min(floor_to(end, kLongRollup), reached_);
    if (end <= raw_since_) return true;
    whole = std::max(whole, std::min(raw_since_, end));
    return add_samples(series, std::max(at, whole), end, total);
}

// False if the rows do not know it; no value if there is none.
bool RollupWindows::value_of(const WindowTotal& total, std::int64_t begin, std::int64_t end,
                             std::optional<double>& value) const {
    const Rollup& all = total.all;
    const bool rate = kind_ == Kind::Rate || kind_ == Kind::Increase || kind_ == Kind::Delta;
    if (all.count == 0 || (rate && all.count < 2)) return true;
    switch (kind_) {
        case Kind::Sum:
            value = total.sum.value();
            return true;
        case Kind::Avg:
            value = total.sum.raw() / all.count + total.sum.correction() / all.count;
            return std::isfinite(total.sum.value());  // What overflows has a running mean.
        case Kind::Count:
            value = all.count;
            return true;
        case Kind::Min:
            value = all.min;
            return true;
        case Kind::Max:
            value = all.max;
            return true;
        case Kind::First:
            value = all.first;
            return true;
        case Kind::Last:
            value = all.last;
            return true;
        case Kind::Present:
            value = 1;
            return true;
        default:
            break;
    }
    const bool counter = kind_ != Kind::Delta;
    if (counter && std::isnan(all.lost)) return false;
    const internal::Ends ends{all.first_time, all.last_time, all.first, all.count};
    const double rise = all.last - all.first + (counter ? all.lost : 0);
    value = internal::extrapolated(ends, begin, end, rise, counter, kind_ == Kind::Rate);
    return true;
}

Result<bool> RollupWindows::make(const tsdb::Series& series, Column& out, bool& any) {
    if (kind_ == Kind::None || (!pays_ && call_.times.first() - call_.range >= series.raw_since())) return false;
    if (!find_rows(series) ||
        !read_samples(series, std::max(reached_, call_.times.first() - call_.range), call_.times.last(), samples_)) {
        return false;
    }
    const std::size_t held = rows_.size() + samples_.size();
    TRY_UNIT(context_.charge(held));
    any = false;
    bool known = true;
    out.values.assign(call_.times.steps.count, missing());
    out.histograms.clear();
    for (std::size_t step = 0; known && step < call_.times.steps.count; ++step) {
        TRY_UNIT(context_.check());
        const std::int64_t end = call_.times.at(step);
        WindowTotal total;
        std::optional<double> value;
        known = total_of(series, end - call_.range, end, total) && value_of(total, end - call_.range, end, value);
        if (value) {
            out.values[step] = *value;
            any = true;
        }
    }
    context_.discharge(held);
    return known;
}

}  // namespace stoker::promql
