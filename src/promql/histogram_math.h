// Arithmetic of native histograms, by the rules of https://prometheus.io/docs/specs/native_histograms/.
//
// Two histograms meet at what both can express: the lower of the resolutions, a zero bucket as wide as the wider one's
// (and as no populated bucket straddles), the custom bounds that both have. Exponential and custom buckets never mix.
// Results hold no empty buckets.
#pragma once

#include <cstdint>
#include <vector>

#include "promql/kahan.h"
#include "tsdb/histogram.h"
#include "tsdb/histogram_buckets.h"

namespace stoker::promql {

// What there is to say of a sum or difference.
struct Combination {
    bool incompatible = false;       // Exponential with custom buckets: nothing was done.
    bool hints_collide = false;      // One says that its counter was reset, the other that it was not.
    bool bounds_reconciled = false;  // Custom bounds differed.
};

// A sum as it grows. Compensated, it keeps what rounding loses (kahan.h), and combines any number of histograms without
// losing small ones beside large ones.
class HistogramSum {
public:
    enum class Rounding : std::uint8_t { Plain, Compensated };
    explicit HistogramSum(const tsdb::Histogram& first, Rounding rounding = Rounding::Compensated);

    // Adds `factor` times `other`; a divisor is kept apart, since dividing is not multiplying by the inverse.
    Combination add(const tsdb::Histogram& other, double factor = 1, double divisor = 1);
    void scale(double factor);
    void divide(double by);
    bool overflowed() const;  // Something in it is infinite.
    tsdb::Histogram value() const;

private:
    struct Cell {
        std::int32_t index;
        KahanSum count;
    };
    using Cells = std::vector<Cell>;

    void increase(KahanSum& sum, double by) const;
    void increase(Cells& cells, const tsdb::SparseBuckets& by, double factor, double divisor);
    void lower_resolution(Cells& cells, std::int32_t to) const;
    void widen_zero_bucket(double threshold);
    void swallow(Cells& cells);
    tsdb::Histogram with_empty_buckets() const;
    template <typename Function>
    void for_each(Function function);

    Rounding rounding_;
    tsdb::Histogram shape_;  // All but the counts: schema, threshold, bounds, hint.
    KahanSum zero_count_;
    KahanSum count_;
    KahanSum sum_;
    Cells positive_;
    Cells negative_;
};

// The mean of what was added: a sum, until that overflows, and from then on a running mean.
class HistogramMean {
public:
    explicit HistogramMean(const tsdb::Histogram& first) : sum_(first) {}
    Combination add(const tsdb::Histogram& other);
    tsdb::Histogram value() const;

private:
    HistogramSum sum_;
    double count_ = 1;
    bool running_ = false;
};

// Once each, without compensation. `into` is left as it was if the two are incompatible.
Combination add_to(tsdb::Histogram& into, const tsdb::Histogram& other);
Combination subtract_from(tsdb::Histogram& into, const tsdb::Histogram& other);

// A negative factor makes a gauge of it; so does a negative divisor. Division by zero leaves no buckets.
void multiply(tsdb::Histogram& histogram, double factor);
void divide(tsdb::Histogram& histogram, double by);

// Leaves out empty buckets.
void compact(tsdb::Histogram& histogram);

// The same observations in the same buckets, the hint aside: what == means between histograms.
bool same_data(const tsdb::Histogram& a, const tsdb::Histogram& b);

// Only the observations below (or above) `at`; what falls into the bucket around `at` is interpolated and the sum is
// estimated anew.
enum class Keep : std::uint8_t { Below, Above };
tsdb::Histogram trimmed(const tsdb::Histogram& histogram, double at, Keep keep);

}  // namespace stoker::promql
