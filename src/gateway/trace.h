// A request's identity across systems: x-request-id and W3C trace context (https://www.w3.org/TR/trace-context/).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stoker::gateway {

// The client's id if it is 1 to 128 characters of [A-Za-z0-9._:/+=@-], else a new one: what is logged, stored and sent
// on must not be somebody's injected line.
std::string request_id_from(std::optional<std::string_view> header);

struct TraceContext {
    std::string trace_id;        // 32 hex digits; the client's, if it sent a valid traceparent.
    std::string span_id;         // 16 hex digits, always our own.
    std::string flags;           // 2 hex digits.
    std::string parent_id = {};  // 16 hex digits, the client's; empty if it sent none.

    // As what this span calls is told of it, or of one below it.
    std::string traceparent() const { return traceparent(span_id); }
    std::string traceparent(std::string_view span) const;
};

TraceContext continue_trace(std::optional<std::string_view> traceparent);

}  // namespace stoker::gateway
