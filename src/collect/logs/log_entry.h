// A line of somebody's log as the collectors hand it on, and where it goes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace stoker::collect {

struct LogEntry {
    using Attributes = std::vector<std::pair<std::string, std::string>>;

    std::int64_t time_ns = 0;      // Since 1970, as the line says; 0: it says nothing.
    std::int64_t observed_ns = 0;  // When it was read or received.
    std::uint8_t severity = 0;     // OTLP's number, 1 to 24; 0: unknown.
    std::string severity_text{};   // As its writer put it.
    std::string body{};
    std::string trace_id{};  // Hex, lower case; empty if it names none.
    std::string span_id{};
    std::string service{};    // Who wrote it.
    std::string source{};     // How it came: file, journald, otlp, loki.
    std::string stream{};     // Where from: a path, a unit, Loki's labels.
    Attributes attributes{};  // All else that it carries.
    Attributes resource{};    // What its writer is: OTLP's resource, Loki\'s labels, a pod.
    std::string signature{};  // The failure that it tells of (config/logs/signatures.yaml); empty: none known.
};

// Takes entries for good: what append() accepted survives SIGKILL. Thread-safe; may take milliseconds.
class LogSink {
public:
    virtual ~LogSink() = default;
    // All or, after an error, none. Errors: ResourceExhausted and Unavailable, when trying again later may help.
    virtual Result<Unit> append(std::vector<LogEntry> entries) = 0;
};

}  // namespace stoker::collect
