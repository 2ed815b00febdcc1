#include "tsdb/histogram.h"

#include <algorithm>
#include <bit>

#include "tsdb/querier.h"

namespace stoker::tsdb {

namespace {

bool same_bits(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) { return same_bits(x, y); });
}

}  // namespace

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
