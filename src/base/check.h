// STOKER_CHECK(x) and STOKER_CHECK(x, "why"): aborts with the place and the reason, in release builds too.
//
// For broken invariants only, never for input: when handling "can never happen" would need a test, abort.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace stoker::internal {

[[noreturn]] inline void check_failed(const char* file, int line, const char* what, const char* why) {
    std::fprintf(stderr, "%s:%d: check failed: %s %s\n", file, line, what, why);
    std::abort();
}

}  // namespace stoker::internal

#define STOKER_CHECK(condition, ...)    \
    ((condition) ? static_cast<void>(0) \
                 : ::stoker::internal::check_failed(__FILE__, __LINE__, #condition, "" __VA_ARGS__))
