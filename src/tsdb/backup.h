// Looking over a store's directory (a snapshot, a backup) without opening it for work: nothing in it is changed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "tsdb/store.h"

namespace stoker::tsdb {

struct Verification {
    std::uint64_t series = 0;
    std::uint64_t chunks = 0;
    std::uint64_t samples = 0;  // In chunks; what was in memory is in the log and in the heads.
    std::uint64_t log_frames = 0;
    std::uint64_t log_samples = 0;  // Some of them are in chunks too.
    std::uint64_t bytes = 0;
    std::int64_t oldest_time = 0;  // Of samples in chunks; both 0 if there are none.
    std::int64_t newest_time = 0;
    std::vector<Damage> damage;  // Empty: every checksum was right and every chunk could be decoded.
};

// Reads everything. Errors: NotFound (no store there), Corruption (what tells the rest apart is unreadable),
// Unavailable.
Result<Verification> verify(const std::string& directory);

}  // namespace stoker::tsdb
