// What this process takes of the machine, and keeping it small.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace stoker::agent {

struct OwnUse {
    std::uint64_t resident_bytes = 0;
    double cpu_seconds = 0;  // Since start, of all threads.
};

// Of this process. Errors: those of reading /proc/self.
Result<OwnUse> read_own_use();

// The resident pages in the text of /proc/PID/statm. Errors: InvalidArgument.
Result<std::uint64_t> parse_resident_pages(std::string_view statm);

// Before any thread starts: one arena of memory for all of them, given back early, and a low priority.
void live_small(int nice);

// Gives freed memory back to the system.
void release_memory();

}  // namespace stoker::agent
