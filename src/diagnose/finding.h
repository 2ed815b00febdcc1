// Findings: the yes-or-no questions that diagnosis asks, and what was seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "diagnose/incident.h"

namespace stoker::diagnose {

enum class Finding : std::uint8_t {
    ProcessGone,      // The supervised process has ended.
    KilledBySigkill,  // ... by signal 9 that Stoker did not send.
    CrashSignal,      // ... by SIGSEGV, SIGABRT, SIGBUS, SIGILL or SIGFPE.
    ExitedWithError,  // ... with a code that is not 0.
    ProcessStopped,   // It is there, but stopped (SIGSTOP, a debugger).
    ConnectionRefused,
    ConnectTimeout,  // Connects or health requests are not answered in time.
    HealthOk,
    HealthFailing,  // /health answers, with an error.
    NoProgress,     // Work outstanding, nothing comes out.
    OomKill,        // The kernel killed for memory in the last minutes.
    MemoryNearlyFull,
    GpuFault,
    KvCacheFull,
    CountersStill,  // The engine's own token counter stands still.
};
inline constexpr std::size_t kFindings = static_cast<std::size_t>(Finding::CountersStill) + 1;
std::string_view to_string(Finding finding);  // snake_case

// A question that could be answered. What could not be found out is simply not among the observations.
struct Observation {
    Finding finding{};
    bool seen = false;
    Evidence evidence;
};

}  // namespace stoker::diagnose
