#include "tsdb/histogram_buckets.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace stoker::tsdb {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What no double's exponent exceeds, so that ldexp's int never overflows.
constexpr std::int64_t kBeyondExponents = 5000;

void add_count(SparseBuckets& buckets, std::int32_t index, double count) {
    if (!buckets.empty() && buckets.back().index == index) {
        buckets.back().count += count;
    } else {
        buckets.push_back({index, count});
    }
}

double custom_bound(const std::vector<double>& bounds, std::int64_t index) {
    if (index < 0) return -kInfinity;
    return index < static_cast<std::int64_t>(bounds.size()) ? bounds[static_cast<std::size_t>(index)] : kInfinity;
}

std::int32_t before(std::int32_t index) {
    return index == std::numeric_limits<std::int32_t>::min() ? index : index - 1;
}

}  // namespace

SparseBuckets to_sparse(const std::vector<BucketSpan>& spans, const std::vector<double>& counts) {
    SparseBuckets buckets;
    buckets.reserve(counts.size());
    std::int64_t index = 0;
    std::size_t at = 0;
    for (const BucketSpan& span : spans) {
        index += span.offset;
        for (std::uint32_t i = 0; i < span.length && at < counts.size(); ++i, ++index) {
            buckets.push_back({static_cast<std::int32_t>(index), counts[at++]});
        }
    }
    return buckets;
}

void from_sparse(const SparseBuckets& buckets, std::vector<BucketSpan>& spans, std::vector<double>& counts) {
    spans.clear();
    counts.clear();
    counts.reserve(buckets.size());
    std::int64_t next = 0;  // The index after the span before.
    for (const IndexedBucket& bucket : buckets) {
        if (spans.empty() || bucket.index != next) {
            spans.push_back({static_cast<std::int32_t>(bucket.index - next), 0});
        }
        ++spans.back().length;
        counts.push_back(bucket.count);
        next = std::int64_t{bucket.index} + 1;
    }
}

SparseBuckets at_lower_resolution(const SparseBuckets& buckets, std::int32_t from, std::int32_t to) {
    if (from <= to) return buckets;
    SparseBuckets merged;
    for (const IndexedBucket& bucket : buckets) {
        const std::int64_t index = ((std::int64_t{bucket.index} - 1) >> (from - to)) + 1;
        add_count(merged, static_cast<std::int32_t>(index), bucket.count);
    }
    return merged;
}

double exponential_bound(std::int32_t index, std::int32_t schema) {
    double fraction = 1;
    std::int64_t exponent = 0;
    if (schema < 0) {
        exponent = std::int64_t{index} * (std::int64_t{1} << -schema);
    } else {
        const std::int32_t per_power = std::int32_t{1} << schema;
        exponent = std::int64_t{index} >> schema;
        const std::int32_t step = index & (per_power - 1);
        if (step != 0) fraction = std::exp2(static_cast<double>(step) / per_power);
    }
    // 2^1024 is the end of the last bucket that holds anything: the largest double belongs to it.
    if (exponent == 1024 && fraction == 1) return std::numeric_limits<double>::max();
    return std::ldexp(fraction, static_cast<int>(std::clamp(exponent, -kBeyondExponents, kBeyondExponents)));
}

Bucket positive_bucket(const Histogram& histogram, IndexedBucket bucket) {
    Bucket result;
    result.count = bucket.count;
    if (histogram.custom()) {
        result.lower = custom_bound(histogram.custom_bounds, std::int64_t{bucket.index} - 1);
        result.upper = custom_bound(histogram.custom_bounds, bucket.index);
        result.lower_inclusive = bucket.index == 0;
        result.upper_inclusive = true;
    } else {
        result.lower = exponential_bound(before(bucket.index), histogram.schema);
        result.upper = exponential_bound(bucket.index, histogram.schema);
        result.upper_inclusive = true;
    }
    return result;
}

Bucket negative_bucket(const Histogram& histogram, IndexedBucket bucket) {
    Bucket result;
    result.count = bucket.count;
    result.lower = -exponential_bound(bucket.index, histogram.schema);
    result.upper = -exponential_bound(before(bucket.index), histogram.schema);
    result.lower_inclusive = true;
    return result;
}

std::vector<Bucket> all_buckets(const Histogram& histogram) {
    std::vector<Bucket> buckets;
    buckets.reserve(histogram.negative.size() + histogram.positive.size() + 1);
    const double zero = histogram.zero_threshold;
    const SparseBuckets negative = to_sparse(histogram.negative_spans, histogram.negative);
    for (auto it = negative.rbegin(); it != negative.rend(); ++it) {
        Bucket bucket = negative_bucket(histogram, *it);
        if (bucket.upper < 0 && bucket.upper > -zero) bucket.upper = -zero;
        buckets.push_back(bucket);
    }
    if (histogram.zero_count > 0 && !histogram.custom()) {
        buckets.push_back({-zero, zero, true, true, histogram.zero_count});
    }
    for (const IndexedBucket& indexed : to_sparse(histogram.positive_spans, histogram.positive)) {
        Bucket bucket = positive_bucket(histogram, indexed);
        if (bucket.lower > 0 && bucket.lower < zero) bucket.lower = zero;
        buckets.push_back(bucket);
    }
    return buckets;
}

ZeroBucket widened_zero_bucket(const Histogram& histogram, double threshold) {
    if (!(threshold > histogram.zero_threshold)) return {histogram.zero_count, histogram.zero_threshold};
    const SparseBuckets positive = to_sparse(histogram.positive_spans, histogram.positive);
    const SparseBuckets negative = to_sparse(histogram.negative_spans, histogram.negative);
    // Swallows one side's buckets up to the threshold; moves it on where it lies within a populated one.
    const auto swallow = [&](const SparseBuckets& side, double& count) {
        for (const IndexedBucket& bucket : side) {
            if (exponential_bound(before(bucket.index), histogram.schema) >= threshold) break;
            count += bucket.count;
            const double upper = exponential_bound(bucket.index, histogram.schema);
            if (upper <= threshold) continue;
            if (bucket.count == 0) break;
            threshold = upper;
            return true;
        }
        return false;
    };
    while (true) {
        double count = histogram.zero_count;
        swallow(positive, count);
        // What moved for the negative side may swallow more of the positive one.
        if (!swallow(negative, count)) return {count, threshold};
    }
}

std::vector<double> common_bounds(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> common;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
    return common;
}

SparseBuckets at_bounds(const SparseBuckets& buckets, const std::vector<double>& bounds,
                        const std::vector<double>& coarser) {
    SparseBuckets merged;
    for (const IndexedBucket& bucket : buckets) {
        const double upper = custom_bound(bounds, bucket.index);
        const auto at = std::lower_bound(coarser.begin(), coarser.end(), upper);
        add_count(merged, static_cast<std::int32_t>(at - coarser.begin()), bucket.count);
    }
    return merged;
}

}  // namespace stoker::tsdb
