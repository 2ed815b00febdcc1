// Room for a transaction. DuckDB 1.4 keeps rows of a transaction whose commit failed in its memory, and reading them
// crashes, so a disk that is nearly full is left alone: records wait in their journal.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace stoker::records {

inline constexpr std::uint64_t kLeastRoom = std::uint64_t{64} << 20;  // More than the largest transaction writes.

// Whether the disk of `folder` has that much free. Errors: ResourceExhausted.
Result<Unit> room_to_write(const std::string& folder);

}  // namespace stoker::records
