// A journal's segments and records as text, for people who look into a data folder. Reads only; needs no lock, so it
// works beside a running Stoker (and may then find the record that is just being written torn).
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stoker::journal {

struct DumpOptions {
    bool records = true;              // Else only one line a segment.
    std::size_t payload_bytes = 200;  // How much of each payload to show.
};

// Calls `line` with one line at a time. Errors: NotFound (no such folder), Unavailable (the disk).
Result<Unit> dump(const std::string& directory, const DumpOptions& options,
                  const std::function<void(std::string_view line)>& line);

}  // namespace stoker::journal
