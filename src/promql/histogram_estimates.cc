#include "promql/histogram_estimates.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tsdb/histogram_buckets.h"

namespace stoker::promql {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Rounding in sums of rates makes counts differ in the last digits; so much, relatively, is taken for equal.
constexpr double kSmallDelta = 1e-12;

bool almost_equal(double a, double b) {
    if (a == b) return true;
    const double sum = std::abs(a) + std::abs(b);
    const double difference = std::abs(a - b);
    const double smallest = std::numeric_limits<double>::min();
    if (a == 0 || b == 0 || sum < smallest) return difference < kSmallDelta * smallest;
    return difference / std::min(sum, std::numeric_limits<double>::max()) < kSmallDelta;
}

// Sorted, and those with one bound made one. False if the last one has an end.
bool put_in_order(std::vector<ClassicBucket>& buckets) {
    std::stable_sort(buckets.begin(), buckets.end(),
                     [](const ClassicBucket& a, const ClassicBucket& b) { return a.upper_bound < b.upper_bound; });
    if (buckets.empty() || buckets.back().upper_bound != kInfinity) return false;
    std::size_t last = 0;
    for (std::size_t i = 1; i < buckets.size(); ++i) {
        if (buckets[i].upper_bound == buckets[last].upper_bound) {
            buckets[last].count += buckets[i].count;
        } else {
            buckets[++last] = buckets[i];
        }
    }
    buckets.resize(last + 1);
    return true;
}

// Cumulative counts may not fall; scrapes that raced with updates and sums over unlike buckets make them.
bool make_monotonic(std::vector<ClassicBucket>& buckets, Notes::Mended& mended) {
    bool forced = false;
    double previous = buckets[0].count;
    for (ClassicBucket& bucket : buckets) {
        if (bucket.count == previous) continue;
        if (almost_equal(previous, bucket.count)) {
            bucket.count = previous;
        } else if (bucket.count < previous) {
            mended.lowest = forced ? std::min(mended.lowest, bucket.upper_bound) : bucket.upper_bound;
            mended.highest = forced ? std::max(mended.highest, bucket.upper_bound) : bucket.upper_bound;
            mended.most = std::max(mended.most, previous - bucket.count);
            bucket.count = previous;
            forced = true;
        } else {
            previous = bucket.count;
        }
    }
    return forced;
}

// A zero bucket of a histogram with observations on one side only reaches to zero only.
void clip_at_zero(tsdb::Bucket& bucket, const tsdb::Histogram& histogram) {
    if (histogram.negative.empty() && !histogram.positive.empty()) bucket.lower = 0;
    if (histogram.positive.empty() && !histogram.negative.empty()) bucket.upper = 0;
}

bool holds_zero(const tsdb::Bucket& bucket) {
    return bucket.lower <= 0 && bucket.upper >= 0;
}

double log2_size(double value) {
    return std::log2(std::abs(value));
}

// Two ranks as the buckets go by, each set once.
class Ranks {
public:
    Ranks(double lower, double upper) : bounds_{lower, upper} {}

    // `interpolate` gives the rank of a value within the bucket. False once both are known.
    template <typename Interpolate>
    bool visit(double begin, double end, double rank_before, Interpolate interpolate) {
        for (int i = 0; i < 2; ++i) {
            if (known_[i]) continue;
            if (begin >= bounds_[i]) {
                set(i, rank_before);
            } else if (end > bounds_[i]) {
                set(i, interpolate(bounds_[i]));
            }
        }
        return !(known_[0] && known_[1]);
    }

    double between(double most) const {
        const auto rank = [&](int i) { return !known_[i] || ranks_[i] > most ? most : ranks_[i]; };
        return rank(1) - rank(0);
    }

private:
    void set(int i, double rank) {
        ranks_[i] = rank;
        known_[i] = true;
    }

    double bounds_[2];
    double ranks_[2] = {0, 0};
    bool known_[2] = {false, false};
};

}  // namespace

double classic_quantile(double q, std::vector<ClassicBucket>& buckets, Notes::Mended& mended, bool& forced) {
    if (std::isnan(q)) return kNaN;
    if (q < 0) return -kInfinity;
    if (q > 1) return kInfinity;
    if (!put_in_order(buckets)) return kNaN;
    forced = make_monotonic(buckets, mended);
    if (buckets.size() < 2) return kNaN;
    const double observations = buckets.back().count;
    if (observations == 0 || std::isnan(observations)) return kNaN;
    double rank = q * observations;
    const auto reaches = [&](const ClassicBucket& bucket) { return bucket.count >= rank; };
    const auto end = buckets.end() - 1;
    const auto found = static_cast<std::size_t>(std::find_if(buckets.begin(), end, reaches) - buckets.begin());
    if (found == buckets.size() - 1) return buckets[buckets.size() - 2].upper_bound;
    if (found == 0 && buckets[0].upper_bound <= 0) return buckets[0].upper_bound;
    double start = 0;
    double count = buckets[found].count;
    if (found > 0) {
        start = buckets[found - 1].upper_bound;
        count -= buckets[found - 1].count;
        rank -= buckets[found - 1].count;
    }
    return start + (buckets[found].upper_bound - start) * (rank / count);
}

double classic_fraction(double lower, double upper, std::vector<ClassicBucket>& buckets) {
    if (!put_in_order(buckets)) return kNaN;
    const double count = buckets.back().count;
    if (count == 0 || std::isnan(lower) || std::isnan(upper)) return kNaN;
    if (lower >= upper) return 0;
    Ranks ranks(lower, upper);
    double rank = 0;
    // Buckets that begin above zero are taken for positive ones throughout.
    double begin = buckets[0].upper_bound <= 0 ? -kInfinity : 0;
    for (const ClassicBucket& bucket : buckets) {
        const double end = bucket.upper_bound;
        const bool more = ranks.visit(begin, end, rank, [&](double value) {
            if (begin == -kInfinity) return bucket.count;
            return rank + (bucket.count - rank) * (value - begin) / (end - begin);
        });
        if (!more) break;
        rank = bucket.count;
        begin = end;
    }
    return ranks.between(count) / count;
}

double native_quantile(double q, const tsdb::Histogram& histogram, std::string_view& note) {
    if (q < 0) return -kInfinity;
    if (q > 1) return kInfinity;
    if (histogram.count == 0 || std::isnan(q)) return kNaN;
    // Observations of NaN are counted but in no bucket, as if they were above all: then ranks count from below.
    // Otherwise from the nearer end, which loses less to rounding.
    const bool has_nan = std::isnan(histogram.sum);
    const bool forward = has_nan || q < 0.5;
    double rank = (forward ? q : 1 - q) * histogram.count;
    std::vector<tsdb::Bucket> buckets = tsdb::all_buckets(histogram);
    if (!forward) std::reverse(buckets.begin(), buckets.end());
    tsdb::Bucket bucket;
    double count = 0;
    std::size_t at = 0;
    while (at < buckets.size()) {
        bucket = buckets[at++];
        if (bucket.count == 0) continue;
        count += bucket.count;
        if (count >= rank) break;
    }
    if (histogram.custom()) {
        if (bucket.lower == -kInfinity) {
            if (bucket.upper <= 0) return bucket.upper;
            bucket.lower = 0;
        } else if (bucket.upper == kInfinity) {
            return bucket.lower;
        }
    } else if (bucket.lower < 0 && bucket.upper > 0) {
        clip_at_zero(bucket, histogram);
    }
    count = std::min(count, histogram.count);
    if (count < rank) {
        if (!has_nan) return bucket.upper;
        note = "input to histogram_quantile has NaN observations, result is NaN";
        return kNaN;
    }
    rank = forward ? rank - (count - bucket.count) : count - rank;
    if (has_nan) {
        while (at < buckets.size()) count += buckets[at++].count;
        if (count < histogram.count) {
            note = "input to histogram_quantile has NaN observations, result is skewed higher";
        }
    }
    const double fraction = rank / bucket.count;
    if (histogram.custom() || holds_zero(bucket)) return bucket.lower + (bucket.upper - bucket.lower) * fraction;
    const double lower = log2_size(bucket.lower);
    const double upper = log2_size(bucket.upper);
    if (bucket.lower > 0) return std::exp2(lower + (upper - lower) * fraction);
    return -std::exp2(upper + (lower - upper) * (1 - fraction));
}

double native_fraction(double lower, double upper, const tsdb::Histogram& histogram, std::string_view& note) {
    if (histogram.count == 0 || std::isnan(lower) || std::isnan(upper)) return kNaN;
    if (lower >= upper) return 0;
    Ranks ranks(lower, upper);
    double rank = 0;
    double count = 0;
    bool more = true;
    for (tsdb::Bucket bucket : tsdb::all_buckets(histogram)) {
        count += bucket.count;
        if (!more) continue;
        const bool linear = histogram.custom() || holds_zero(bucket);
        if (holds_zero(bucket)) clip_at_zero(bucket, histogram);
        more = ranks.visit(bucket.lower, bucket.upper, rank, [&](double value) {
            if (linear) {
                if (bucket.lower == -kInfinity) return bucket.count;
                return rank + bucket.count * (value - bucket.lower) / (bucket.upper - bucket.lower);
            }
            const double begin = log2_size(bucket.lower);
            const double end = log2_size(bucket.upper);
            const double at = log2_size(value);
            const double part = value > 0 ? (at - begin) / (end - begin) : 1 - (at - end) / (begin - end);
            return rank + bucket.count * part;
        });
        rank += bucket.count;
    }
    if (!std::isnan(histogram.sum)) {
        count = histogram.count;
    } else if (count < histogram.count) {
        note = "input to histogram_fraction has NaN observations, which are excluded from all fractions";
    }
    return ranks.between(count) / histogram.count;
}

}  // namespace stoker::promql
