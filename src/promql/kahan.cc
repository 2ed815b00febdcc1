#include "promql/kahan.h"

#include <algorithm>
#include <limits>

namespace stoker::promql {

void KahanMean::add(double value) {
    count_ += 1;
    if (!running_) {
        KahanSum next = sum_;
        next.add(value);
        if (count_ == 1 || !std::isinf(next.raw())) {
            sum_ = next;
            return;
        }
        running_ = true;
        sum_.divide(count_ - 1);
    }
    const double mean = sum_.raw();
    if (std::isinf(mean)) {
        // Inf stays Inf, unless its opposite or NaN comes along.
        if (std::isinf(value) && (mean > 0) == (value > 0)) return;
        if (!std::isinf(value) && !std::isnan(value)) return;
    }
    sum_.scale((count_ - 1) / count_);
    sum_.add(value / count_);
}

double KahanMean::value() const {
    if (running_) return sum_.raw() + sum_.correction();
    return sum_.raw() / count_ + sum_.correction() / count_;
}

double quantile(double q, std::vector<double> values) {
    if (values.empty() || std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
    if (q < 0) return -std::numeric_limits<double>::infinity();
    if (q > 1) return std::numeric_limits<double>::infinity();
    std::sort(values.begin(), values.end(), [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
    const auto count = static_cast<double>(values.size());
    const double rank = q * (count - 1);
    const double lower = std::max(0.0, std::floor(rank));
    const double upper = std::min(count - 1, lower + 1);
    const double weight = rank - std::floor(rank);
    return values[static_cast<std::size_t>(lower)] * (1 - weight) + values[static_cast<std::size_t>(upper)] * weight;
}

}  // namespace stoker::promql
