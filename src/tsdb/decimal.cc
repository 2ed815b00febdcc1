#include "tsdb/decimal.h"

#include <bit>
#include <cmath>

namespace stoker::tsdb {

namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53: up to here a double holds every integer.

double unscale(std::int64_t scaled, unsigned exponent) {
    return static_cast<double>(scaled) / kPowersOfTen[exponent];
}

// The integer that stands for `value` at this exponent, if it gives back the same bits.
bool scale(double value, unsigned exponent, std::int64_t& scaled) {
    const double product = value * kPowersOfTen[exponent];
    if (!(std::abs(product) < kExactIntegers)) {  // Also refuses NaN.
        return false;
    }
    const double half = exponent == 0 ? 0 : std::copysign(0.5, product);
    scaled = static_cast<std::int64_t>(product + half);
    return std::bit_cast<std::uint64_t>(unscale(scaled, exponent)) == std::bit_cast<std::uint64_t>(value);
}

}  // namespace

bool find_exponent(std::span<const Sample> samples, unsigned& exponent, std::vector<std::int64_t>& scaled) {
    scaled.resize(samples.size());
    exponent = 0;
    // Most chunks without one fail at their first value, and cheaply. Once one value asks for more digits, those before
    // it are looked at again.
    for (std::size_t i = 0; i < samples.size();) {
        if (scale(samples[i].value, exponent, scaled[i])) {
            ++i;
        } else if (++exponent < kPowersOfTen.size()) {
            std::int64_t unused = 0;
            while (exponent + 1 < kPowersOfTen.size() && !scale(samples[i].value, exponent, unused)) {
                ++exponent;
            }
            i = 0;
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace stoker::tsdb
