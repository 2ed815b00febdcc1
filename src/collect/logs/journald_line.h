// An entry of systemd's journal, as `journalctl -o json` prints it: one object a line. Pure function.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "collect/logs/log_entry.h"

namespace stoker::collect {

struct JournaldEntry {
    LogEntry entry;      // With observed_ns 0.
    std::string cursor;  // Its place in the journal.
};

// Errors: InvalidArgument.
Result<JournaldEntry> parse_journald_line(std::string_view line);

}  // namespace stoker::collect
