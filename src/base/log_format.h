// How a log line looks, apart from where it goes.
//
// Text:  2026-11-22T10:00:00.123Z WARN  engine ejected replica=chat/127.0.0.1:9001 reason="connection refused"
// JSON:  {"time":"2026-11-22T10:00:00.123Z","level":"warn","message":"engine ejected","replica":"chat/127.0.0.1:9001"}
//
// A line is one line whatever the values hold: line ends and control bytes are escaped, so that nobody who sends a
// request can forge a line. Pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/time.h"

namespace stoker::log {

std::string text_line(Timestamp time, Level level, std::string_view message, Fields fields);
std::string json_line(Timestamp time, Level level, std::string_view message, Fields fields);

// "debug", "info", "warn", "error", "off"; and back.
std::string_view to_string(Level level);
std::optional<Level> parse_level(std::string_view text);

}  // namespace stoker::log
