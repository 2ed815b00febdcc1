// OTLP logs (opentelemetry-proto 1.x) as values: ExportLogsServiceRequest from protobuf and from JSON.
//
// Both decoders take what the other encoding would have carried. Unknown fields are skipped, as the protocol asks.
// Stateless and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/otlp.h"

namespace stoker::wire::otlp {

struct LogRecord {
    std::uint64_t time = 0;      // Nanoseconds since 1970; 0: not given.
    std::uint64_t observed = 0;  // The same.
    std::int32_t severity = 0;   // 1 to 24; 0: not given.
    std::string severity_text;
    std::string body;  // Text as it is; anything else as in Attributes.
    Attributes attributes;
    std::string trace_id;  // Hex, lower case; empty if not given or all zero.
    std::string span_id;
    std::string event_name;
};

struct LogScope {
    std::string name;
    std::string version;
    std::vector<LogRecord> records;
};

struct LogResource {
    Attributes attributes;
    std::vector<LogScope> scopes;
};

struct LogsRequest {
    std::vector<LogResource> resources;
};

// Errors: InvalidArgument (not such a request), ResourceExhausted (past a limit).
Result<LogsRequest> parse_logs_protobuf(std::string_view body, const Limits& limits = {});
Result<LogsRequest> parse_logs_json(std::string_view body, const Limits& limits = {});

}  // namespace stoker::wire::otlp
