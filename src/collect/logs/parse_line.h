// What a line of log says of itself: JSON, logfmt, or plain text with a time and a level at its beginning.
//
// Bytes from outside: any input gives some entry, and none costs more than a constant times its length. Pure function.
#pragma once

#include <cstddef>

#include "collect/logs/log_entry.h"

namespace stoker::collect {

inline constexpr std::size_t kMostLineAttributes = 64;  // Of one line; what comes after them is left out.

// Fills in from entry.body what the entry does not know yet: time, severity, trace and span id, service, attributes. Of
// JSON and logfmt the message becomes the body, and every other member an attribute; without a message, and of plain
// text, the body stays as it is.
void parse_line(LogEntry& entry);

}  // namespace stoker::collect
