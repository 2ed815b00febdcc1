// Sends a fleet's samples to one store by remote write 1.0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace stoker::bench {

struct FeedOptions {
    std::string address;  // HOST:PORT
    std::string path = "/api/v1/write";
    std::size_t series = 100'000;
    std::uint32_t first_machine = 0;  // Other machines are other series.
    std::int64_t start = 0;           // Milliseconds since 1970, of the first step.
    std::int64_t interval = 15'000;
    std::size_t steps = 120;
    bool churn = false;            // Machine after machine is replaced by a new one until all have been.
    std::uint32_t generation = 0;  // Of all machines at first.
    std::size_t batch = 5'000;     // Samples a request.
    std::size_t senders = 2;       // Connections, each with its own series.
};

struct FeedResult {
    std::uint64_t samples = 0;
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;  // Compressed.
    double seconds = 0;       // From the first request to the last answer.
    double busy_seconds = 0;  // Of those, waited for the store; summed over senders.
};

// Throws std::runtime_error if the store refuses anything.
FeedResult feed(const FeedOptions& options);

}  // namespace stoker::bench
