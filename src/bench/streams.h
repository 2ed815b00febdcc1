// The load generator for paced streams: many clients on one thread, each reading one stream after another from an
// upstream that stamps its events (bench/upstream.h).
//
// What is counted is the time from the upstream's write to the client's read of the same event, whatever its pace.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stoker::bench {

struct StreamOptions {
    std::string address;
    std::string request;  // Of one stream.
    int clients = 1;
    int tokens = 250;                // Of one stream; one that has fewer is broken.
    Duration ramp{1'000};            // Over which the clients begin, evenly.
    Duration duration{8'000};        // Counted, from the ramp's end.
    std::function<void()> at_start;  // Called at the ramp's end and at the end, while all streams are open.
    std::function<void()> at_end;
};

struct StreamResult {
    std::uint64_t events = 0;   // With a token.
    std::uint64_t streams = 0;  // Read to their end.
    std::uint64_t broken = 0;   // Cut, malformed, short, or refused.
    std::uint64_t stalls = 0;   // Events that took over 100 ms.
    double seconds = 0;
    std::vector<std::uint32_t> first_event_us;  // From the request's write; ascending, in units of 0.1 µs.
    std::vector<std::uint32_t> delay_us;        // Of each event; ascending, in units of 0.1 µs.
    std::string first_failure;
};

// Errors: Unavailable if a connection could not be made.
Result<StreamResult> run_streams(const StreamOptions& options);

}  // namespace stoker::bench
