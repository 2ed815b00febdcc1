// The operators </ and >/: a histogram with only the observations on one side of a value.
//
// Buckets wholly on that side stay as they are; of the one that holds the value a part stays, by the interpolation that
// quantiles use; nothing is known of how observations spread in a bucket without end, so of such ones little is kept.
#include <cmath>
#include <limits>

#include "promql/histogram_math.h"

namespace stoker::promql {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// How many observations stay, and the value that stands for each of them in the sum.
struct Kept {
    double count = 0;
    double each = 0;
};

double finite_or_zero(double value) {
    return std::isinf(value) ? 0 : value;
}

// What stands for the observations between two bounds: the arithmetic mean of linear buckets, the geometric one of
// exponential buckets, and the finite bound where only one is.
double middle(double lower, double upper, bool linear, bool negative) {
    if (std::isinf(lower)) {
        if (std::isinf(upper)) return 0;
        return upper > 0 ? upper / 2 : upper;
    }
    if (std::isinf(upper)) return lower;
    if (linear) return (lower + upper) / 2;
    const double size = std::sqrt(std::abs(lower * upper));
    return negative ? -size : size;
}

// The part of the bucket's observations below `at`.
double count_below(const tsdb::Bucket& bucket, double at, bool linear, bool negative) {
    if (at <= bucket.lower) return 0;
    if (at >= bucket.upper) return bucket.count;
    if (linear) return bucket.count * ((at - bucket.lower) / (bucket.upper - bucket.lower));
    const double lower = std::log2(std::abs(bucket.lower));
    const double upper = std::log2(std::abs(bucket.upper));
    const double value = std::log2(std::abs(at));
    return bucket.count * (negative ? 1 - (value - upper) / (lower - upper) : (value - lower) / (upper - lower));
}

Kept part_of_endless(const tsdb::Bucket& bucket, double at, Keep keep) {
    if (bucket.lower == -kInfinity) {
        // As quantiles do, the first bucket is taken to begin at 0 if it ends above.
        const bool from_zero = bucket.upper > 0 && bucket.upper != kInfinity;
        if (keep == Keep::Below) {
            if (at >= bucket.upper) return {bucket.count, 0};
            if (at > 0 && from_zero) return {bucket.count * at / bucket.upper, at / 2};
            if (bucket.upper <= 0) return {bucket.count, at};
            return {0, finite_or_zero(bucket.upper)};
        }
        if (at <= bucket.lower) return {bucket.count, 0};
        if (at >= 0 && bucket.upper > at && from_zero) {
            return {bucket.count * (1 - at / bucket.upper), (at + bucket.upper) / 2};
        }
        return {0, finite_or_zero(bucket.upper)};
    }
    if (keep == Keep::Above && at >= bucket.lower) return {bucket.count, at};
    return {0, finite_or_zero(bucket.lower)};
}

Kept part_of(const tsdb::Bucket& bucket, double at, Keep keep, bool linear, bool negative) {
    const bool whole = keep == Keep::Below ? bucket.upper <= at : bucket.lower >= at;
    if (whole) return {bucket.count, middle(bucket.lower, bucket.upper, linear, negative)};
    const bool divided = keep == Keep::Below ? bucket.lower < at : bucket.upper > at;
    if (!divided) return {};
    if (std::isinf(bucket.lower) || std::isinf(bucket.upper)) return part_of_endless(bucket, at, keep);
    const double below = count_below(bucket, at, linear, negative);
    if (keep == Keep::Below) return {below, middle(bucket.lower, at, linear, negative)};
    return {bucket.count - below, middle(at, bucket.upper, linear, negative)};
}

// The zero bucket is linear, and one-sided where the histogram is.
Kept part_of_zero(const tsdb::Histogram& histogram, double at, Keep keep, bool has_negative, bool has_positive) {
    const double lower = has_positive && !has_negative ? 0 : -histogram.zero_threshold;
    const double upper = has_negative && !has_positive ? 0 : histogram.zero_threshold;
    const double count = histogram.zero_count;
    if (keep == Keep::Below) {
        if (at <= lower) return {};
        if (at >= upper) return {count, (lower + upper) / 2};
        return {count * ((at - lower) / (upper - lower)), (lower + at) / 2};
    }
    if (at <= lower) return {count, (lower + upper) / 2};
    if (at >= upper) return {};
    return {count * ((upper - at) / (upper - lower)), (at + upper) / 2};
}

}  // namespace

tsdb::Histogram trimmed(const tsdb::Histogram& histogram, double at, Keep keep) {
    tsdb::Histogram result = histogram;
    double count = 0;
    double sum = 0;
    bool changed = false;
    const auto note = [&](double& population, Kept kept) {
        changed = changed || population != kept.count;
        population = kept.count;
        count += kept.count;
        sum += kept.each * kept.count;
    };
    const auto side = [&](tsdb::SparseBuckets buckets, bool negative) {
        for (tsdb::IndexedBucket& bucket : buckets) {
            if (bucket.count == 0) continue;
            const tsdb::Bucket whole =
                negative ? tsdb::negative_bucket(histogram, bucket) : tsdb::positive_bucket(histogram, bucket);
            note(bucket.count, part_of(whole, at, keep, histogram.custom(), negative));
        }
        return buckets;
    };
    const auto any = [](const tsdb::SparseBuckets& buckets) {
        for (const tsdb::IndexedBucket& bucket : buckets) {
            if (bucket.count != 0) return true;
        }
        return false;
    };
    const tsdb::SparseBuckets positive = tsdb::to_sparse(histogram.positive_spans, histogram.positive);
    const tsdb::SparseBuckets negative = tsdb::to_sparse(histogram.negative_spans, histogram.negative);
    tsdb::from_sparse(side(positive, false), result.positive_spans, result.positive);
    tsdb::from_sparse(side(negative, true), result.negative_spans, result.negative);
    if (histogram.zero_count > 0) {
        note(result.zero_count, part_of_zero(histogram, at, keep, any(negative), any(positive)));
    }
    if (!changed) return histogram;
    result.count = count;
    result.sum = sum;
    compact(result);
    return result;
}

}  // namespace stoker::promql
