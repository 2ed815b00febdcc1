// Spans as their senders' protocols carry them (OTLP, Zipkin v2), in one shape: what is behind knows no protocol.
//
// Decoders are stateless and thread-safe, and never use more memory than allowed. What can't be read as a request at
// all is an error; whether a span makes sense is for the caller to judge, span by span.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "wire/otlp.h"

namespace stoker::wire {

// Keys and values in the order sent; each value is JSON: "text" in its quotes, 5, 1.5, true, [..], {..}. What JSON has
// no number for (NaN, infinities) is text, and so are bytes, in base64.
using JsonAttributes = std::vector<std::pair<std::string, std::string>>;

enum class ReceivedKind : std::uint8_t { Internal, Server, Client, Producer, Consumer };

struct ReceivedEvent {
    std::uint64_t time = 0;  // Nanoseconds since 1970.
    std::string name;
    JsonAttributes attributes;
};

struct ReceivedLink {
    std::string trace_id;
    std::string span_id;
    JsonAttributes attributes;
};

struct ReceivedSpan {
    std::string trace_id;  // Hex, lower case; empty if not given or all zero. Zipkin's shorter ones with zeros before.
    std::string span_id;
    std::string parent_span_id;
    std::string name;
    ReceivedKind kind = ReceivedKind::Internal;
    std::uint64_t start = 0;  // Nanoseconds since 1970.
    std::uint64_t end = 0;
    bool error = false;
    std::string status_message;
    JsonAttributes attributes;
    std::vector<ReceivedEvent> events;
    std::vector<ReceivedLink> links;
};

// Spans of one source.
struct SpanGroup {
    JsonAttributes resource;
    std::string scope;
    std::string scope_version;
    std::vector<ReceivedSpan> spans;
};

struct SpansRequest {
    std::vector<SpanGroup> groups;
};

// ExportTraceServiceRequest. Errors: InvalidArgument (not such a request), ResourceExhausted (past a limit).
Result<SpansRequest> parse_otlp_traces_protobuf(std::string_view body, const otlp::Limits& limits = {});
Result<SpansRequest> parse_otlp_traces_json(std::string_view body, const otlp::Limits& limits = {});

// Zipkin v2's list of spans, JSON and zipkin.proto's ListOfSpans. The same errors.
Result<SpansRequest> parse_zipkin_json(std::string_view body, const otlp::Limits& limits = {});
Result<SpansRequest> parse_zipkin_protobuf(std::string_view body, const otlp::Limits& limits = {});

}  // namespace stoker::wire
