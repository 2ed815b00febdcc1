#include "gateway/headers.h"

#include "base/text.h"
#include "gateway/upstream/provider.h"

namespace stoker::gateway {
namespace {

// Fields that a Connection header names belong to that connection too (RFC 9110, 7.6.1).
bool named_by_connection(std::string_view connection, std::string_view name) {
    if (connection.empty()) return false;
    for (const std::string_view token : split(connection, ',')) {
        if (equals_ignore_case(trim(token), name)) return true;
    }
    return false;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    for (const std::string_view other : names) {
        if (name.size() == other.size() && equals_ignore_case(name, other)) return true;
    }
    return false;
}

// What only the gateway says.
bool is_ours(std::string_view name) {
    constexpr std::string_view kPrefix = "x-stoker-";
    return equals_ignore_case(name.substr(0, kPrefix.size()), kPrefix);
}

}  // namespace

net::Headers upstream_headers(const net::RequestHead& request, const std::string& request_id, std::string traceparent,
                              const std::string& api_key, ClientCredentials credentials) {
    net::Headers headers;
    const bool withhold = credentials == ClientCredentials::Withhold || !api_key.empty();
    const std::string_view connection = request.headers.get("connection").value_or("");
    for (const auto& [name, value] : request.headers) {
        if (net::is_hop_by_hop(name) || named_by_connection(connection, name)) continue;
        if (is_one_of(name, {"host", "content-length", "accept-encoding", "expect", "x-request-id", "traceparent"}))
            continue;
        if (withhold && is_one_of(name, {"authorization", "x-api-key", "api-key"})) continue;
        headers.add(name, value);
    }
    if (!api_key.empty()) headers.add("authorization", "Bearer " + api_key);
    headers.add("x-request-id", request_id);
    headers.add("traceparent", std::move(traceparent));
    return headers;
}

void add_marks(net::Headers& headers, const AnswerMarks& marks) {
    headers.add("x-request-id", std::string(marks.request_id));
    if (marks.anthropic) headers.add("request-id", std::string(marks.request_id));
    if (!marks.replica.empty()) headers.add("x-stoker-replica", std::string(marks.replica));
    headers.add("x-stoker-attempts", std::to_string(marks.attempts));
    if (!marks.model.empty()) headers.add("x-stoker-model", std::string(marks.model));
    if (!marks.rule.empty()) headers.add("x-stoker-rule", std::string(marks.rule));
    if (!marks.split.empty()) headers.add("x-stoker-split", std::string(marks.split) + "=" + std::string(marks.arm));
    if (marks.degradation != DegradationLevel::Normal) {
        headers.add("x-stoker-degradation", std::to_string(static_cast<int>(marks.degradation)));
    }
    if (!marks.cache.empty()) headers.add("x-stoker-cache", std::string(marks.cache));
    if (marks.queue_ms > 0) headers.add("x-stoker-queue-ms", std::to_string(marks.queue_ms));
    for (const auto& [name, value] : marks.rates) headers.add(name, value);
}

net::Headers client_headers(const net::ResponseHead& upstream, const AnswerMarks& marks) {
    constexpr std::string_view kRatePrefix = "x-ratelimit-";
    const bool limited = marks.rates.begin() != marks.rates.end();
    net::Headers headers;
    const std::string_view connection = upstream.headers.get("connection").value_or("");
    for (const auto& [name, value] : upstream.headers) {
        if (net::is_hop_by_hop(name) || named_by_connection(connection, name)) continue;
        if (is_one_of(name, {"content-length", "x-request-id", "request-id"}) || is_ours(name)) continue;
        if (marks.provider && !is_answer_header(name)) continue;
        if (limited && equals_ignore_case(std::string_view(name).substr(0, kRatePrefix.size()), kRatePrefix)) continue;
        headers.add(name, value);
    }
    add_marks(headers, marks);
    return headers;
}

}  // namespace stoker::gateway
