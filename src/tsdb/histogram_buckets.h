// The buckets of a native histogram one by one: their bounds, and the same buckets at a lower resolution or under a
// wider zero bucket.
//
// Spans are compact but awkward to compute with, so arithmetic works on sparse lists: a bucket's index and its count,
// ascending by index, each index once.
#pragma once

#include <cstdint>
#include <vector>

#include "tsdb/histogram.h"

namespace stoker::tsdb {

struct IndexedBucket {
    std::int32_t index = 0;
    double count = 0;
};
using SparseBuckets = std::vector<IndexedBucket>;

// Counts past those that the spans name, and spans past the counts, are left out.
SparseBuckets to_sparse(const std::vector<BucketSpan>& spans, const std::vector<double>& counts);
void from_sparse(const SparseBuckets& buckets, std::vector<BucketSpan>& spans, std::vector<double>& counts);

// The buckets of schema `from` merged into those of schema `to`. REQUIRES: to <= from, both exponential.
SparseBuckets at_lower_resolution(const SparseBuckets& buckets, std::int32_t from, std::int32_t to);

// The upper bound of bucket `index` of an exponential schema; the largest double where that would overflow.
double exponential_bound(std::int32_t index, std::int32_t schema);

struct Bucket {
    double lower = 0;
    double upper = 0;
    bool lower_inclusive = false;
    bool upper_inclusive = false;
    double count = 0;
};
Bucket positive_bucket(const Histogram& histogram, IndexedBucket bucket);
Bucket negative_bucket(const Histogram& histogram, IndexedBucket bucket);

// All of a histogram's buckets from the lowest to the highest, the zero bucket if anything is in it among them; those
// next to the zero bucket begin where it ends. Empty ones within spans are there too.
std::vector<Bucket> all_buckets(const Histogram& histogram);

// What the zero bucket would hold if it reached up to `threshold`. Where that falls into a populated bucket, the
// threshold moves on to that bucket's far end. REQUIRES: threshold >= histogram.zero_threshold, not custom.
struct ZeroBucket {
    double count = 0;
    double threshold = 0;
};
ZeroBucket widened_zero_bucket(const Histogram& histogram, double threshold);

// The bounds that both have.
std::vector<double> common_bounds(const std::vector<double>& a, const std::vector<double>& b);
// The buckets of custom `bounds` put together so that they end only at `coarser` ones. REQUIRES: coarser is part of
// bounds.
SparseBuckets at_bounds(const SparseBuckets& buckets, const std::vector<double>& bounds,
                        const std::vector<double>& coarser);

}  // namespace stoker::tsdb
