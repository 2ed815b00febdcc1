// Functions of ranges that do not look at the whole window again at each step: they remember what they need of it, and
// take in what came and went. To one ulp the same as their plain forms in range_functions.h, which they stand in for
// where windows overlap.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "promql/functions.h"

namespace stoker::promql {

class SlidingFunction {
public:
    virtual ~SlidingFunction() = default;
    // Begins another series.
    virtual void restart() = 0;
    // As a WindowFunction. `first` is the index within the series of the window's first sample.
    // REQUIRES: windows move forward; numbers only, at least one, no extension.
    virtual std::optional<double> apply(const Window& window, std::uint64_t first) = 0;
};

// Null if the function has no such form.
std::unique_ptr<SlidingFunction> sliding_form(const Function& function);

}  // namespace stoker::promql
