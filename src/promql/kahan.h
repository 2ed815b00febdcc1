// Sums that do not lose small numbers beside large ones (Kahan's sum with Neumaier's correction), and statistics on
// them, in the very order of operations that Prometheus uses, so that results agree to the last bit.
#pragma once

#include <cmath>
#include <span>
#include <vector>

namespace stoker::promql {

class KahanSum {
public:
    void add(double increment) {
        const double total = sum_ + increment;
        if (std::isinf(total)) {
            correction_ = 0;
        } else if (std::abs(sum_) >= std::abs(increment)) {
            correction_ += (sum_ - total) + increment;
        } else {
            correction_ += (increment - total) + sum_;
        }
        sum_ = total;
    }

    double value() const { return std::isinf(sum_) ? sum_ : sum_ + correction_; }
    double raw() const { return sum_; }
    double correction() const { return correction_; }
    void scale(double factor) {
        sum_ *= factor;
        correction_ *= factor;
    }
    void divide(double by) {
        sum_ /= by;
        correction_ /= by;
    }

private:
    double sum_ = 0;
    double correction_ = 0;
};

// Sum over count, until the sum overflows; from then on a running mean.
class KahanMean {
public:
    void add(double value);
    double value() const;
    double count() const { return count_; }

private:
    KahanSum sum_;  // Of the values, or the mean itself once it is running.
    double count_ = 0;
    bool running_ = false;
};

// Welford's variance.
class KahanVariance {
public:
    void add(double value) {
        count_ += 1;
        const double delta = value - (mean_.raw() + mean_.correction());
        mean_.add(delta / count_);
        squares_.add(delta * (value - (mean_.raw() + mean_.correction())));
    }
    double variance() const { return (squares_.raw() + squares_.correction()) / count_; }

private:
    KahanSum mean_;
    KahanSum squares_;
    double count_ = 0;
};

// Linear interpolation between the ranks of `values`; NaN sorts first. -Inf below 0, +Inf above 1, NaN of nothing.
double quantile(double q, std::vector<double> values);

}  // namespace stoker::promql
