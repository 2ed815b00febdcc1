// What goes out next: the records from a place in the buffer on that make one request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "agent/batch.h"
#include "agent/buffer.h"

namespace stoker::agent {

struct FillLimits {
    std::size_t most_records = 2'000;
    std::size_t most_samples = 20'000;  // Reached by whole records: the last one may go past it.
};

struct Filled {
    Batch batch;
    std::uint64_t next = 0;  // Where the batch after this one begins.
    bool more = false;       // The buffer has more.
    std::string error;       // Why the buffer could not be read to there, if that is so.
};

// Reads files: off event loops.
Filled fill(Buffer& buffer, const std::string& reader, std::uint64_t from, FillLimits limits, SteadyTime now);

}  // namespace stoker::agent
