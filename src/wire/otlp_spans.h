// Encodes OTLP traces (opentelemetry-proto 1.x): an ExportTraceServiceRequest in protobuf, or as the protocol's JSON.
// Stateless and thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace stoker::wire::otlp {

using SpanValue = std::variant<std::string, std::int64_t, double, bool, std::vector<std::string>>;
using SpanAttributes = std::vector<std::pair<std::string, SpanValue>>;

// The numbers are the protocol's.
enum class SpanKind : std::uint8_t { Internal = 1, Server = 2, Client = 3 };

struct Span {
    std::string trace_id;        // 32 hex digits.
    std::string span_id;         // 16 hex digits.
    std::string parent_span_id;  // The same, or empty.
    std::string name;
    SpanKind kind = SpanKind::Internal;
    std::int64_t start_ns = 0;  // Since 1970.
    std::int64_t end_ns = 0;
    SpanAttributes attributes;
    bool failed = false;  // Status error, else unset.
    std::string message;  // Of the error.
};

struct SpanSource {
    SpanAttributes resource;  // service.name and the like.
    std::string scope;
    std::string version;
};

// REQUIRES: ids are hex digits of their length; other characters count as 0.
std::string encode_spans(const SpanSource& source, std::span<const Span> spans);
std::string spans_json(const SpanSource& source, std::span<const Span> spans);

}  // namespace stoker::wire::otlp
