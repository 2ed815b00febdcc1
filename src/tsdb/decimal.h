// Doubles as integers: metrics mostly have few decimal places, and integers are what packs well.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "tsdb/querier.h"

namespace stoker::tsdb {

inline constexpr std::array<double, 13> kPowersOfTen{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};

// The least exponent of ten at which every value, times that power, is an integer below 2^53 that gives back the same
// bits when divided, and these integers; false if there is none.
bool find_exponent(std::span<const Sample> samples, unsigned& exponent, std::vector<std::int64_t>& scaled);

}  // namespace stoker::tsdb
