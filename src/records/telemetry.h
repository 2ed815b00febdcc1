// Spans and log lines as they are kept: one value each, as the journal carries it and a table holds it.
//
// Whatever protocol or dialect something came in, these fields mean the same; what was sent stays in `attributes`.
// Stateless and thread-safe. Formats: docs/format/telemetry.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stoker::records {

inline constexpr std::int64_t kUnknownTokens = -1;
// One row's JSON may take this much; larger ones are for the receiver to refuse or to cut.
inline constexpr std::size_t kMaxTelemetryRowBytes = std::size_t{1} << 20;

struct SpanRow {
    std::string trace_id;        // 32 hex digits, lower case.
    std::string span_id;         // 16 hex digits, lower case.
    std::string parent_span_id;  // The same; empty: it is a root.
    std::string name;
    std::string kind;  // internal | server | client | producer | consumer
    std::string service;
    std::string scope;          // The instrumentation's name.
    std::string format;         // otlp | zipkin | stoker
    std::int64_t start_ns = 0;  // Since 1970.
    std::int64_t duration_ns = 0;
    bool error = false;
    std::string status_message;
    std::string attributes;  // A JSON object, or empty for none.
    std::string resource;    // The same.
    std::string events;      // A JSON array of {"time_ns","name","attributes"}, or empty.
    std::string links;       // A JSON array of {"trace_id","span_id","attributes"}, or empty.

    // Of a generation, in the words of OpenTelemetry's GenAI conventions; empty if it is none.
    std::string operation;  // gen_ai.operation.name
    std::string provider;   // gen_ai.provider.name
    std::string model;      // gen_ai.response.model, else gen_ai.request.model
    std::int64_t input_tokens = kUnknownTokens;
    std::int64_t output_tokens = kUnknownTokens;

    // How many spans this one stands for: 1 / the probability with which its trace was kept.
    double weight = 1;
    bool decided = false;  // Its trace was sampled before it came here: it is kept as it is.
};

struct LogRow {
    std::int64_t time_ns = 0;      // Since 1970.
    std::int64_t observed_ns = 0;  // When it was collected.
    std::int64_t severity = 0;     // OpenTelemetry's number, 1 (trace) to 24 (fatal4); 0: unknown.
    std::string severity_text;     // As it stood there.
    std::string body;
    std::string trace_id;  // As in a span, or empty.
    std::string span_id;
    std::string service;
    std::string attributes;  // A JSON object, or empty for none.
    std::string resource;    // The same.
    std::string source;      // file | journald | container | otlp | loki | ...
    std::string stream;      // Which one: a path, a unit, a container, Loki's labels.
    std::string signature;   // Of the engine trouble that it shows; empty: none is known.
};

// A batch as the journal carries it, "v":1 first. `marker` is kept with spans, for a sender that wants to know how far
// it came. REQUIRES: attributes, resource, events and links are valid JSON or empty.
std::string to_json(std::span<const SpanRow> spans, std::string_view marker = {});
std::string to_json(std::span<const LogRow> logs);

struct SpanBatch {
    std::vector<SpanRow> spans;
    std::string marker;
};

// Reads what any older version wrote; unknown fields are skipped. Errors: Corruption.
Result<SpanBatch> span_batch_from_json(std::string_view json);
Result<std::vector<LogRow>> logs_from_json(std::string_view json);

}  // namespace stoker::records
