#include "api/span_convert.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/genai_dialects.h"
#include "base/text.h"

namespace stoker::api {
namespace {

using wire::ReceivedKind;
using wire::ReceivedSpan;

std::string_view kind_name(ReceivedKind kind) {
    switch (kind) {
        case ReceivedKind::Server:
            return "server";
        case ReceivedKind::Client:
            return "client";
        case ReceivedKind::Producer:
            return "producer";
        case ReceivedKind::Consumer:
            return "consumer";
        case ReceivedKind::Internal:
            break;
    }
    return "internal";
}

// Times past the year 2262 do not fit.
std::int64_t nanos(std::uint64_t time) {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(time, INT64_MAX));
}

std::string_view text_of(std::string_view json) {
    return json.size() >= 2 && json.front() == '"' ? json.substr(1, json.size() - 2) : json;
}

std::string service_of(const wire::JsonAttributes& resource) {
    for (const auto& [key, value] : resource) {
        if (key == "service.name") return std::string(text_of(value));
    }
    return "unknown_service";  // What OpenTelemetry calls a service without a name.
}

std::string events_json(const std::vector<wire::ReceivedEvent>& events) {
    if (events.empty()) return {};
    std::string out = "[";
    for (const auto& event : events) {
        if (out.size() > 1) out += ',';
        const std::string attributes = to_json(event.attributes);
        out += fmt::format(R"({{"time_ns":{},"name":{},"attributes":{}}})", nanos(event.time), quote_json(event.name),
                           attributes.empty() ? "{}" : attributes);
    }
    return out + "]";
}

std::string links_json(const std::vector<wire::ReceivedLink>& links) {
    if (links.empty()) return {};
    std::string out = "[";
    for (const auto& link : links) {
        if (out.size() > 1) out += ',';
        const std::string attributes = to_json(link.attributes);
        out += fmt::format(R"({{"trace_id":"{}","span_id":"{}","attributes":{}}})", link.trace_id, link.span_id,
                           attributes.empty() ? "{}" : attributes);
    }
    return out + "]";
}

// A name is cut where a character ends.
std::string cut(std::string text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
    text.resize(most);
    return text;
}

std::size_t size_of(const records::SpanRow& row) {
    return row.name.size() + row.attributes.size() + row.resource.size() + row.events.size() + row.links.size() +
           row.status_message.size() + row.scope.size() + row.service.size();
}

}  // namespace

std::string to_json(const wire::JsonAttributes& attributes) {
    if (attributes.empty()) return {};
    std::string out = "{";
    for (const auto& [key, value] : attributes) {
        if (out.size() > 1) out += ',';
        out += quote_json(key);
        out += ':';
        out += value;
    }
    return out + "}";
}

ConvertedSpans convert_spans(wire::SpansRequest request, std::string_view format, const SpanLimits& limits) {
    ConvertedSpans out;
    const auto reject = [&out](std::string why) {
        ++out.rejected;
        if (out.why.empty()) out.why = std::move(why);
    };
    for (wire::SpanGroup& group : request.groups) {
        const std::string resource = to_json(group.resource);
        const std::string service = cut(service_of(group.resource), limits.max_name_bytes);
        for (ReceivedSpan& span : group.spans) {
            if (out.rows.size() >= limits.max_spans) {
                reject(fmt::format("more than {} spans in one request; send fewer at a time", limits.max_spans));
                continue;
            }
            if (span.trace_id.empty() || span.span_id.empty()) {
                reject(fmt::format("span {}: no trace id or no span id, or not of 32 and 16 hex digits",
                                   quote_json(cut(span.name, 100))));
                continue;
            }
            if (span.start == 0) {
                reject(fmt::format("span {}: no start time", quote_json(cut(span.name, 100))));
                continue;
            }
            normalise_genai(span.attributes);
            records::SpanRow row;
            set_genai_fields(span.attributes, row);
            row.trace_id = std::move(span.trace_id);
            row.span_id = std::move(span.span_id);
            row.parent_span_id = std::move(span.parent_span_id);
            row.name = cut(std::move(span.name), limits.max_name_bytes);
            row.kind = kind_name(span.kind);
            row.service = service;
            row.scope = cut(group.scope, limits.max_name_bytes);
            row.format = format;
            row.start_ns = nanos(span.start);
            row.duration_ns = std::max<std::int64_t>(0, nanos(span.end) - row.start_ns);
            row.error = span.error;
            row.status_message = cut(std::move(span.status_message), limits.max_name_bytes);
            row.attributes = to_json(span.attributes);
            row.resource = resource;
            row.events = events_json(span.events);
            row.links = links_json(span.links);
            if (size_of(row) > limits.max_row_bytes) {
                reject(fmt::format("span {}: {} bytes, more than {}; record less content in its attributes",
                                   quote_json(cut(row.name, 100)), size_of(row), limits.max_row_bytes));
                continue;
            }
            out.rows.push_back(std::move(row));
        }
    }
    return out;
}

}  // namespace stoker::api
