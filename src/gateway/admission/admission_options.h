// How many requests a pool takes at a time, and what happens to the others. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace stoker::gateway {

enum class ConcurrencyMode : std::uint8_t {
    Off,    // No limit: nothing is queued.
    Fixed,  // `limit` for each replica.
    Auto    // Found between `min` and `max`; see adaptive_limit.h.
};

// All limits are for each replica that serves: a pool that loses one takes less.
struct AdmissionOptions {
    ConcurrencyMode mode = ConcurrencyMode::Off;
    std::int64_t limit = 0;
    std::int64_t min = 4;
    std::int64_t max = 1024;
    double ttft_tolerance = 3;  // How many times its floor the time to first token may be. Above 1.
    std::size_t queue = 1000;   // Requests that may wait, for the whole pool.
    Duration timeout{30'000};   // And how long each may.
    // Of the tokens that higher classes are served, what each class below them gets while it waits; 0: none.
    double lower_share = 0.05;
};

}  // namespace stoker::gateway
