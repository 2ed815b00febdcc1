// Encodes OTLP traces and logs as protobuf (opentelemetry-proto 1.x), from spans and lines whose attributes are JSON,
// as they are kept. What was a number, a flag or a list there is one in OTLP, too.
//
// Stateless and thread-safe. JSON that is none counts as empty.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "wire/otlp.h"

namespace stoker::wire::otlp {

// Whom spans and lines are from.
struct ForwardedSource {
    std::string service;   // service.name, unless the resource has one.
    std::string resource;  // A JSON object, or empty; as everything called attributes here.
    std::string scope;
    friend auto operator<=>(const ForwardedSource&, const ForwardedSource&) = default;
};

struct ForwardedSpan {
    struct Event {
        std::int64_t time_ns = 0;
        std::string name;
        std::string attributes;
    };
    struct Link {
        std::string trace_id;
        std::string span_id;
        std::string attributes;
    };

    std::string trace_id;  // Hex, as all ids.
    std::string span_id;
    std::string parent_span_id;
    std::string name;
    std::string kind;  // internal, server, client, producer, consumer
    std::int64_t start_ns = 0;
    std::int64_t end_ns = 0;
    bool error = false;
    std::string status_message;
    std::string attributes;
    std::vector<Event> events;
    std::vector<Link> links;
};

struct ForwardedLog {
    std::int64_t time_ns = 0;
    std::int64_t observed_ns = 0;
    std::int64_t severity = 0;  // 1 to 24; 0: unknown.
    std::string severity_text;
    std::string body;
    std::string attributes;
    std::string more;  // Attributes beside those, the same kind of text.
    std::string trace_id;
    std::string span_id;
};

// `resource`: what every source gets that says nothing under that name itself.
std::string encode_spans(const std::map<ForwardedSource, std::vector<ForwardedSpan>>& spans,
                         const Attributes& resource = {});
std::string encode_logs(const std::map<ForwardedSource, std::vector<ForwardedLog>>& logs,
                        const Attributes& resource = {});

}  // namespace stoker::wire::otlp
