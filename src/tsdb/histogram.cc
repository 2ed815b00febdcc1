#include "tsdb/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "tsdb/histogram_buckets.h"
#include "tsdb/querier.h"

namespace stoker::tsdb {

namespace {

bool same_bits(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) { return same_bits(x, y); });
}

Error invalid(std::string message) {
    return Error{Errc::InvalidArgument, std::move(message)};
}

// Whether the spans name as many buckets as there are counts, without overlaps, and no count is negative.
// REQUIRES: `side` is for messages.
Result<double> total_of_side(const std::string& side, const std::vector<BucketSpan>& spans,
                             const std::vector<double>& counts) {
    std::uint64_t named = 0;
    std::int64_t index = 0;
    for (std::size_t i = 0; i < spans.size(); ++i) {
        if (i > 0 && spans[i].offset < 0) {
            return invalid(side + " side: span number " + std::to_string(i + 1) + " has a negative offset of " +
                           std::to_string(spans[i].offset));
        }
        index += spans[i].offset;
        index += spans[i].length;
        if (index > std::numeric_limits<std::int32_t>::max())
            return invalid(side + " side: a bucket's index is too large");
        named += spans[i].length;
    }
    if (named != counts.size()) {
        return invalid(side + " side: spans need " + std::to_string(named) + " buckets, have " +
                       std::to_string(counts.size()) + " buckets");
    }
    double total = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (!(counts[i] >= 0))
            return invalid(side + " side: bucket number " + std::to_string(i + 1) + " has no valid count");
        total += counts[i];
    }
    return total;
}

Result<Unit> validate_custom(const Histogram& histogram) {
    const std::vector<double>& bounds = histogram.custom_bounds;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        if (std::isnan(bounds[i]) || bounds[i] == std::numeric_limits<double>::infinity()) {
            return invalid("custom buckets: a bound is not finite");
        }
        if (i > 0 && bounds[i] <= bounds[i - 1]) return invalid("custom buckets: bounds are not strictly ascending");
    }
    std::int64_t end = 0;
    for (const BucketSpan& span : histogram.positive_spans) {
        end += span.offset;
        if (end < 0) return invalid("custom buckets: a span begins before the first bucket");
        end += span.length;
    }
    if (end > static_cast<std::int64_t>(bounds.size()) + 1) {
        return invalid("custom buckets: only " + std::to_string(bounds.size()) + " bounds for buckets up to " +
                       std::to_string(end));
    }
    if (histogram.zero_count != 0 || histogram.zero_threshold != 0)
        return invalid("custom buckets: must have no zero bucket");
    if (!histogram.negative_spans.empty() || !histogram.negative.empty()) {
        return invalid("custom buckets: must have no negative buckets");
    }
    return Unit{};
}

// Whether a bucket of `before` holds more than the same bucket of `next`. Both ascending, at one resolution.
bool fell(const SparseBuckets& before, const SparseBuckets& next) {
    auto at = next.begin();
    for (const IndexedBucket& bucket : before) {
        while (at != next.end() && at->index < bucket.index) ++at;
        const bool there = at != next.end() && at->index == bucket.index;
        if (there ? at->count < bucket.count : bucket.count != 0) return true;
    }
    return false;
}

// Without the buckets that lie within the zero bucket.
SparseBuckets beyond(SparseBuckets buckets, double threshold, std::int32_t schema) {
    if (threshold == 0) return buckets;
    std::erase_if(buckets, [&](const IndexedBucket& b) { return exponential_bound(b.index, schema) <= threshold; });
    return buckets;
}

bool custom_reset(const Histogram& before, const Histogram& next) {
    SparseBuckets old_counts = to_sparse(before.positive_spans, before.positive);
    SparseBuckets new_counts = to_sparse(next.positive_spans, next.positive);
    if (before.custom_bounds != next.custom_bounds) {
        const std::vector<double> common = common_bounds(before.custom_bounds, next.custom_bounds);
        old_counts = at_bounds(old_counts, before.custom_bounds, common);
        new_counts = at_bounds(new_counts, next.custom_bounds, common);
    }
    return fell(old_counts, new_counts);
}

}  // namespace

Result<Unit> validate(const Histogram& histogram) {
    const bool exponential = histogram.schema >= Histogram::kMinSchema && histogram.schema <= Histogram::kMaxSchema;
    if (!exponential && !histogram.custom()) {
        return invalid("histogram has an unknown schema " + std::to_string(histogram.schema));
    }
    if (histogram.custom()) TRY_UNIT(validate_custom(histogram));
    if (exponential && !histogram.custom_bounds.empty())
        return invalid("exponential buckets: must have no custom bounds");
    if (!(histogram.zero_threshold >= 0)) return invalid("the zero bucket's width is not valid");
    if (!(histogram.zero_count >= 0)) return invalid("the zero bucket has no valid count");
    if (!(histogram.count >= 0)) return invalid("the count of observations is not valid");
    TRY(const double negative, total_of_side("negative", histogram.negative_spans, histogram.negative));
    TRY(const double positive, total_of_side("positive", histogram.positive_spans, histogram.positive));
    // Observations of NaN are in the count only. Fractional counts may be off in their last digits.
    const double buckets = negative + positive + histogram.zero_count;
    if (buckets > histogram.count * (1 + 1e-9)) return invalid("fewer observations than in the buckets");
    return Unit{};
}

bool counter_reset_between(const Histogram& before, const Histogram& next) {
    if (next.reset_hint == Histogram::ResetHint::Gauge) return false;
    return internal::detect_reset(before, next);
}

bool internal::detect_reset(const Histogram& before, const Histogram& next) {
    if (next.reset_hint == Histogram::ResetHint::CounterReset) return true;
    if (next.reset_hint == Histogram::ResetHint::NotCounterReset) return false;
    if (next.count < before.count) return true;
    if (next.custom() != before.custom()) return true;
    if (next.custom()) return custom_reset(before, next);
    // Resolution only grows, and the zero bucket only shrinks, with a fresh start.
    if (next.schema > before.schema || next.zero_threshold < before.zero_threshold) return true;
    const ZeroBucket zero = widened_zero_bucket(before, next.zero_threshold);
    if (zero.threshold != next.zero_threshold || next.zero_count < zero.count) return true;
    const auto side_fell = [&](const std::vector<BucketSpan> Histogram::*spans,
                               const std::vector<double> Histogram::*counts) {
        const SparseBuckets old_counts =
            at_lower_resolution(to_sparse(before.*spans, before.*counts), before.schema, next.schema);
        return fell(beyond(old_counts, next.zero_threshold, next.schema),
                    beyond(to_sparse(next.*spans, next.*counts), next.zero_threshold, next.schema));
    };
    return side_fell(&Histogram::positive_spans, &Histogram::positive) ||
           side_fell(&Histogram::negative_spans, &Histogram::negative);
}

bool Histogram::stale() const {
    return is_stale(sum);
}

bool operator==(const Histogram& a, const Histogram& b) {
    return a.reset_hint == b.reset_hint && a.schema == b.schema && same_bits(a.zero_threshold, b.zero_threshold) &&
           same_bits(a.zero_count, b.zero_count) && same_bits(a.count, b.count) && same_bits(a.sum, b.sum) &&
           a.positive_spans == b.positive_spans && a.negative_spans == b.negative_spans &&
           same_bits(a.positive, b.positive) && same_bits(a.negative, b.negative) &&
           same_bits(a.custom_bounds, b.custom_bounds);
}

std::size_t heap_bytes(const Histogram& histogram) {
    return sizeof(Histogram) +
           (histogram.positive_spans.capacity() + histogram.negative_spans.capacity()) * sizeof(BucketSpan) +
           (histogram.positive.capacity() + histogram.negative.capacity() + histogram.custom_bounds.capacity()) *
               sizeof(double);
}

}  // namespace stoker::tsdb
