// How bad a line is: the many ways to write it, as OTLP's numbers (opentelemetry.io/docs/specs/otel/logs/data-model).
// Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace stoker::collect {

inline constexpr std::uint8_t kTrace = 1;
inline constexpr std::uint8_t kDebug = 5;
inline constexpr std::uint8_t kInfo = 9;
inline constexpr std::uint8_t kWarn = 13;
inline constexpr std::uint8_t kError = 17;
inline constexpr std::uint8_t kFatal = 21;

// Of a word in any case ("WARNING", "err", "E", "critical"); 0 if it is none.
std::uint8_t severity_of_word(std::string_view word);

// Of syslog's priority, 0 (emergency) to 7 (debug); 0 for anything else.
std::uint8_t severity_of_priority(int priority);

// Of pino's and bunyan's numbers, 10 (trace) to 60 (fatal); 0 for anything else.
std::uint8_t severity_of_pino(std::int64_t level);

// Of a line of plain text, by what stands near its beginning: "INFO 11-23 10:00:00 [core.py:12] ...",
// "E1123 10:00:00.1 7 server.cc:9] ...", "[TensorRT-LLM][ERROR] ...", "[error] ...", "INFO:  ..."; 0 if nothing does.
std::uint8_t severity_of_line(std::string_view line);

// trace, debug, info, warn, error, fatal; "" for 0.
std::string_view severity_name(std::uint8_t severity);

}  // namespace stoker::collect
