// Times that passed, as records and metrics have them.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace stoker::gateway {

inline std::int64_t nanos(SteadyTime::duration duration) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

inline double seconds(SteadyTime::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

inline double seconds(std::int64_t ns) {
    return static_cast<double>(ns) * 1e-9;
}

}  // namespace stoker::gateway
