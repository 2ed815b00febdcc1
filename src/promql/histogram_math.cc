#include "promql/histogram_math.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace stoker::promql {

namespace {

using Hint = tsdb::Histogram::ResetHint;

double total(const KahanSum& sum) {
    return sum.correction() == 0 ? sum.raw() : sum.raw() + sum.correction();
}

KahanSum start(double value) {
    KahanSum sum;
    sum.add(value);
    return sum;
}

// The hint of a sum of the two. Gauges win; only "reset" against "not reset" is a contradiction.
Hint combined_hint(Hint a, Hint b, bool& collision) {
    if (a == b) return a;
    if (a == Hint::Gauge || b == Hint::Gauge) return Hint::Gauge;
    collision = a != Hint::Unknown && b != Hint::Unknown;
    return Hint::Unknown;
}

bool same_bits(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool same_buckets(const tsdb::SparseBuckets& a, const tsdb::SparseBuckets& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& x, const auto& y) { return x.index == y.index && same_bits(x.count, y.count); });
}

Combination combine(tsdb::Histogram& into, const tsdb::Histogram& other, double factor) {
    HistogramSum sum(into, HistogramSum::Rounding::Plain);
    const Combination notes = sum.add(other, factor);
    if (!notes.incompatible) into = sum.value();
    return notes;
}

template <typename Function>
void for_each_count(tsdb::Histogram& histogram, Function function) {
    function(histogram.zero_count);
    function(histogram.count);
    function(histogram.sum);
    for (double& count : histogram.positive) function(count);
    for (double& count : histogram.negative) function(count);
}

}  // namespace

HistogramSum::HistogramSum(const tsdb::Histogram& first, Rounding rounding)
    : rounding_(rounding), zero_count_(start(first.zero_count)), count_(start(first.count)), sum_(start(first.sum)) {
    shape_.reset_hint = first.reset_hint;
    shape_.schema = first.schema;
    shape_.zero_threshold = first.zero_threshold;
    shape_.custom_bounds = first.custom_bounds;
    for (const auto& [index, count] : tsdb::to_sparse(first.positive_spans, first.positive)) {
        positive_.push_back({index, start(count)});
    }
    for (const auto& [index, count] : tsdb::to_sparse(first.negative_spans, first.negative)) {
        negative_.push_back({index, start(count)});
    }
}

void HistogramSum::increase(KahanSum& sum, double by) const {
    if (rounding_ == Rounding::Compensated) {
        sum.add(by);
    } else {
        sum = start(sum.raw() + by);
    }
}

// Merges two ascending lists.
void HistogramSum::increase(Cells& cells, const tsdb::SparseBuckets& by, double factor, double divisor) {
    if (by.empty()) return;
    Cells merged;
    merged.reserve(cells.size() + by.size());
    auto mine = cells.begin();
    for (const auto& [index, count] : by) {
        while (mine != cells.end() && mine->index < index) merged.push_back(*mine++);
        if (mine != cells.end() && mine->index == index) {
            merged.push_back(*mine++);
        } else {
            merged.push_back({index, {}});
        }
        increase(merged.back().count, count * factor / divisor);
    }
    merged.insert(merged.end(), mine, cells.end());
    cells = std::move(merged);
}

void HistogramSum::lower_resolution(Cells& cells, std::int32_t to) const {
    Cells merged;
    for (const Cell& cell : cells) {
        const tsdb::SparseBuckets moved = tsdb::at_lower_resolution({{cell.index, 0}}, shape_.schema, to);
        if (merged.empty() || merged.back().index != moved[0].index) {
            merged.push_back({moved[0].index, cell.count});
        } else {
            increase(merged.back().count, cell.count.raw());
            increase(merged.back().count, cell.count.correction());
        }
    }
    cells = std::move(merged);
}

// Moves what lies within the zero bucket into it.
void HistogramSum::swallow(Cells& cells) {
    std::erase_if(cells, [&](const Cell& cell) {
        if (tsdb::exponential_bound(cell.index, shape_.schema) > shape_.zero_threshold) return false;
        increase(zero_count_, cell.count.raw());
        increase(zero_count_, cell.count.correction());
        return true;
    });
}

void HistogramSum::widen_zero_bucket(double threshold) {
    shape_.zero_threshold = tsdb::widened_zero_bucket(with_empty_buckets(), threshold).threshold;
    swallow(positive_);
    swallow(negative_);
}

Combination HistogramSum::add(const tsdb::Histogram& other, double factor, double divisor) {
    Combination notes;
    if (shape_.custom() != other.custom()) {
        notes.incompatible = true;
        return notes;
    }
    shape_.reset_hint = combined_hint(shape_.reset_hint, other.reset_hint, notes.hints_collide);
    increase(count_, other.count * factor / divisor);
    increase(sum_, other.sum * factor / divisor);
    tsdb::SparseBuckets positive = tsdb::to_sparse(other.positive_spans, other.positive);
    if (shape_.custom()) {
        if (shape_.custom_bounds != other.custom_bounds) {
            notes.bounds_reconciled = true;
            const std::vector<double> common = tsdb::common_bounds(shape_.custom_bounds, other.custom_bounds);
            positive = tsdb::at_bounds(positive, other.custom_bounds, common);
            Cells moved;
            for (const Cell& cell : positive_) {
                const std::int32_t index = tsdb::at_bounds({{cell.index, 0}}, shape_.custom_bounds, common)[0].index;
                if (moved.empty() || moved.back().index != index) moved.push_back({index, {}});
                increase(moved.back().count, cell.count.raw());
                increase(moved.back().count, cell.count.correction());
            }
            positive_ = std::move(moved);
            shape_.custom_bounds = common;
        }
        increase(positive_, positive, factor, divisor);
        return notes;
    }

    tsdb::ZeroBucket zero{other.zero_count, other.zero_threshold};
    while (zero.threshold != shape_.zero_threshold) {
        if (zero.threshold < shape_.zero_threshold) zero = tsdb::widened_zero_bucket(other, shape_.zero_threshold);
        if (zero.threshold > shape_.zero_threshold) widen_zero_bucket(zero.threshold);
        // A threshold that is no number can't be reconciled with anything.
        if (std::isnan(zero.threshold) || std::isnan(shape_.zero_threshold)) break;
    }
    increase(zero_count_, zero.count * factor / divisor);
    if (other.schema < shape_.schema) {
        lower_resolution(positive_, other.schema);
        lower_resolution(negative_, other.schema);
        shape_.schema = other.schema;
    }
    const auto fitted = [&](const tsdb::SparseBuckets& buckets) {
        tsdb::SparseBuckets result = tsdb::at_lower_resolution(buckets, other.schema, shape_.schema);
        std::erase_if(result, [&](const tsdb::IndexedBucket& bucket) {
            return tsdb::exponential_bound(bucket.index, shape_.schema) <= shape_.zero_threshold;
        });
        return result;
    };
    increase(positive_, fitted(positive), factor, divisor);
    increase(negative_, fitted(tsdb::to_sparse(other.negative_spans, other.negative)), factor, divisor);
    return notes;
}

template <typename Function>
void HistogramSum::for_each(Function function) {
    function(zero_count_);
    function(count_);
    function(sum_);
    for (Cell& cell : positive_) function(cell.count);
    for (Cell& cell : negative_) function(cell.count);
}

void HistogramSum::scale(double factor) {
    for_each([&](KahanSum& sum) { sum.scale(factor); });
}

void HistogramSum::divide(double by) {
    for_each([&](KahanSum& sum) { sum.divide(by); });
}

bool HistogramSum::overflowed() const {
    const auto infinite = [](const Cell& cell) { return std::isinf(cell.count.raw()); };
    return std::isinf(zero_count_.raw()) || std::isinf(count_.raw()) || std::isinf(sum_.raw()) ||
           std::any_of(positive_.begin(), positive_.end(), infinite) ||
           std::any_of(negative_.begin(), negative_.end(), infinite);
}

tsdb::Histogram HistogramSum::with_empty_buckets() const {
    tsdb::Histogram result = shape_;
    result.zero_count = total(zero_count_);
    result.count = total(count_);
    result.sum = total(sum_);
    const auto store = [](const Cells& cells, std::vector<tsdb::BucketSpan>& spans, std::vector<double>& counts) {
        tsdb::SparseBuckets buckets;
        buckets.reserve(cells.size());
        for (const Cell& cell : cells) buckets.push_back({cell.index, total(cell.count)});
        tsdb::from_sparse(buckets, spans, counts);
    };
    store(positive_, result.positive_spans, result.positive);
    store(negative_, result.negative_spans, result.negative);
    return result;
}

tsdb::Histogram HistogramSum::value() const {
    tsdb::Histogram result = with_empty_buckets();
    compact(result);
    return result;
}

Combination HistogramMean::add(const tsdb::Histogram& other) {
    count_ += 1;
    if (!running_) {
        HistogramSum next = sum_;
        const Combination notes = next.add(other);
        if (notes.incompatible || !next.overflowed()) {
            sum_ = std::move(next);
            return notes;
        }
        running_ = true;
        sum_.divide(count_ - 1);
    }
    sum_.scale((count_ - 1) / count_);
    return sum_.add(other, 1, count_);
}

tsdb::Histogram HistogramMean::value() const {
    if (running_) return sum_.value();
    HistogramSum mean = sum_;
    mean.divide(count_);
    return mean.value();
}

Combination add_to(tsdb::Histogram& into, const tsdb::Histogram& other) {
    return combine(into, other, 1);
}

Combination subtract_from(tsdb::Histogram& into, const tsdb::Histogram& other) {
    return combine(into, other, -1);
}

void multiply(tsdb::Histogram& histogram, double factor) {
    for_each_count(histogram, [&](double& count) { count *= factor; });
    if (factor < 0) histogram.reset_hint = Hint::Gauge;
}

void divide(tsdb::Histogram& histogram, double by) {
    if (by == 0) {
        histogram.positive_spans.clear();
        histogram.negative_spans.clear();
        histogram.positive.clear();
        histogram.negative.clear();
    }
    for_each_count(histogram, [&](double& count) { count /= by; });
    if (by < 0) histogram.reset_hint = Hint::Gauge;
}

void compact(tsdb::Histogram& histogram) {
    const auto side = [](std::vector<tsdb::BucketSpan>& spans, std::vector<double>& counts) {
        tsdb::SparseBuckets buckets = tsdb::to_sparse(spans, counts);
        std::erase_if(buckets, [](const tsdb::IndexedBucket& bucket) { return bucket.count == 0; });
        tsdb::from_sparse(buckets, spans, counts);
    };
    side(histogram.positive_spans, histogram.positive);
    side(histogram.negative_spans, histogram.negative);
}

bool same_data(const tsdb::Histogram& a, const tsdb::Histogram& b) {
    return a.schema == b.schema && same_bits(a.count, b.count) && same_bits(a.sum, b.sum) &&
           a.custom_bounds == b.custom_bounds && a.zero_threshold == b.zero_threshold &&
           same_bits(a.zero_count, b.zero_count) &&
           same_buckets(tsdb::to_sparse(a.positive_spans, a.positive), tsdb::to_sparse(b.positive_spans, b.positive)) &&
           same_buckets(tsdb::to_sparse(a.negative_spans, a.negative), tsdb::to_sparse(b.negative_spans, b.negative));
}

}  // namespace stoker::promql
