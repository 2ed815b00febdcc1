// What the programs here share: time of the processor, and ending at the first error.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "base/result.h"

namespace stoker {

// CLOCK_THREAD_CPUTIME_ID or CLOCK_PROCESS_CPUTIME_ID.
inline double processor_seconds(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

template <typename T>
T must(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message.c_str());
        std::exit(1);
    }
    return *std::move(result);
}

}  // namespace stoker
