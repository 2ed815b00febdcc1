#include "gateway/request_spans.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/balance/prompt_hash.h"

namespace stoker::gateway {
namespace {

using records::RequestRecord;
using wire::otlp::Span;
using wire::otlp::SpanAttributes;
using wire::otlp::SpanKind;

constexpr std::int64_t kNanosPerMilli = 1'000'000;

// Ids only need to differ within their trace.
std::string derived_id(std::string_view span_id, std::string_view what) {
    return fmt::format("{:016x}", std::max<std::uint64_t>(stable_hash(what, stable_hash(span_id)), 1));
}

// gen_ai.operation.name; empty where the conventions have no word.
std::string_view operation_of(std::string_view endpoint) {
    if (endpoint == "/v1/chat/completions" || endpoint == "/v1/messages" || endpoint == "/v1/responses") return "chat";
    if (endpoint == "/v1/completions") return "text_completion";
    if (endpoint == "/v1/embeddings") return "embeddings";
    return {};
}

class Builder {
public:
    explicit Builder(const RequestRecord& record)
        : record_(record), start_(record.time_ms * kNanosPerMilli), name_(name()) {}

    std::vector<Span> build() {
        add_request();
        add_stages();
        for (std::size_t i = 0; i < record_.attempts.size(); ++i) add_attempt(i);
        add_tokens();
        add_write();
        return std::move(spans_);
    }

private:
    std::string name() const {
        const std::string_view operation = operation_of(record_.endpoint);
        std::string name(operation.empty() ? std::string_view(record_.endpoint) : operation);
        const std::string& model = requested_model();
        return model.empty() ? name : name + " " + model;
    }

    const std::string& requested_model() const {
        return record_.requested_model.empty() ? record_.model : record_.requested_model;
    }

    // A child of the request that runs from `begin` to `end`, both in nanoseconds after the request came.
    Span& add(std::string id, std::string name, SpanKind kind, std::int64_t begin, std::int64_t end) {
        Span& span = spans_.emplace_back();
        span.trace_id = record_.trace_id;
        span.span_id = std::move(id);
        span.parent_span_id = record_.span_id;
        span.name = std::move(name);
        span.kind = kind;
        span.start_ns = start_ + begin;
        span.end_ns = start_ + std::max(begin, end);
        return span;
    }

    void add_request() {
        Span& span = add(record_.span_id, name_, SpanKind::Server, 0, record_.duration_ns);
        span.parent_span_id = record_.parent_span_id;
        span.attributes = genai();
        SpanAttributes& attributes = span.attributes;
        attributes.emplace_back("http.request.method", std::string("POST"));
        attributes.emplace_back("url.path", record_.endpoint);
        attributes.emplace_back("http.response.status_code", std::int64_t{record_.status});
        attributes.emplace_back("client.address", record_.client);
        attributes.emplace_back("stoker.request_id", record_.id);
        attributes.emplace_back("stoker.outcome", record_.outcome);
        attributes.emplace_back("stoker.pool", record_.pool);
        attributes.emplace_back("stoker.attempts", static_cast<std::int64_t>(record_.attempts.size()));
        attributes.emplace_back("stoker.usage_source", std::string(records::to_string(record_.usage_source)));
        text(attributes, "stoker.replica", record_.replica);
        text(attributes, "stoker.tenant", record_.tenant);
        text(attributes, "stoker.key_id", record_.key_id);
        text(attributes, "stoker.cache", record_.cache);
        if (record_.degradation != 0) attributes.emplace_back("stoker.degradation", std::int64_t{record_.degradation});
        if (record_.outcome == "ok") return;
        text(attributes, "error.type", record_.error);
        // By the HTTP conventions a server's span is in error for what is the server's fault only.
        span.failed = record_.status >= 500 || record_.outcome == "truncated";
        if (span.failed) span.message = record_.error;
    }

    SpanAttributes genai() const {
        SpanAttributes attributes;
        const std::string_view operation = operation_of(record_.endpoint);
        if (!operation.empty()) attributes.emplace_back("gen_ai.operation.name", std::string(operation));
        text(attributes, "gen_ai.request.model", requested_model());
        if (!record_.replica.empty()) text(attributes, "gen_ai.response.model", record_.model);
        if (!record_.finish_reason.empty()) {
            attributes.emplace_back("gen_ai.response.finish_reasons", std::vector<std::string>{record_.finish_reason});
        }
        if (record_.usage_source == records::UsageSource::None) return attributes;
        attributes.emplace_back("gen_ai.usage.input_tokens", record_.prompt_tokens);
        attributes.emplace_back("gen_ai.usage.output_tokens", record_.completion_tokens);
        if (record_.cached_tokens > 0) {
            attributes.emplace_back("gen_ai.usage.cache_read.input_tokens", record_.cached_tokens);
        }
        return attributes;
    }

    static void text(SpanAttributes& attributes, const char* key, const std::string& value) {
        if (!value.empty()) attributes.emplace_back(key, value);
    }

    // What the gateway did before the first attempt, one after the other.
    void add_stages() {
        std::int64_t at = 0;
        const auto stage = [&](const char* name, std::int64_t lasted) {
            if (lasted <= 0) return;
            add(derived_id(record_.span_id, name), name, SpanKind::Internal, at, at + lasted);
            at += lasted;
        };
        stage("receive", record_.receive_ns);
        stage("route", record_.route_ns);
        stage("limit", record_.limit_ns);
        stage("cache", record_.cache_ns);
        stage("queue", record_.queue_ns);
    }

    void add_attempt(std::size_t number) {
        const records::Attempt& attempt = record_.attempts[number];
        Span& span = add(attempt_span_id(record_.span_id, number), "attempt " + attempt.replica, SpanKind::Client,
                         attempt.started_ns, attempt.started_ns + attempt.duration_ns);
        const std::size_t slash = attempt.replica.find('/');
        if (slash != std::string::npos)
            span.attributes.emplace_back("server.address", attempt.replica.substr(slash + 1));
        span.attributes.emplace_back("stoker.replica", attempt.replica);
        span.attributes.emplace_back("http.request.resend_count", static_cast<std::int64_t>(number));
        if (attempt.status != 0) {
            span.attributes.emplace_back("http.response.status_code", std::int64_t{attempt.status});
        }
        if (!attempt.kind.empty()) span.attributes.emplace_back("stoker.attempt.kind", attempt.kind);
        if (attempt.error == records::kHedgeLost) {  // Nothing went wrong.
            span.attributes.emplace_back("stoker.attempt.cancelled", true);
            return;
        }
        if (attempt.error.empty()) return;
        span.attributes.emplace_back("error.type", attempt.error);
        span.failed = true;
        span.message = attempt.error;
    }

    void add_tokens() {
        const records::Attempt* const answering = answering_attempt(record_);
        if (record_.ttft_ns <= 0 || answering == nullptr) return;
        add(derived_id(record_.span_id, "first token"), "first token", SpanKind::Internal, answering->started_ns,
            record_.ttft_ns);
        Span& tokens = add(derived_id(record_.span_id, "tokens"), "tokens", SpanKind::Internal, record_.ttft_ns,
                           record_.duration_ns);
        tokens.attributes.emplace_back("stoker.events", record_.events);
        tokens.attributes.emplace_back("stoker.longest_gap_ms",
                                       static_cast<double>(record_.itl_max_ns) / static_cast<double>(kNanosPerMilli));
    }

    // Writing goes on all the while; it is drawn in one piece, up to the request's end.
    void add_write() {
        if (record_.write_ns <= 0) return;
        add(derived_id(record_.span_id, "write"), "write", SpanKind::Internal,
            record_.duration_ns - std::min(record_.write_ns, record_.duration_ns), record_.duration_ns);
    }

    const RequestRecord& record_;
    const std::int64_t start_;
    const std::string name_;
    std::vector<Span> spans_;
};

}  // namespace

std::string attempt_span_id(std::string_view request_span_id, std::size_t number) {
    return derived_id(request_span_id, std::to_string(number));
}

std::vector<Span> spans_of(const RequestRecord& record) {
    if (record.span_id.empty() || record.trace_id.empty()) return {};
    return Builder(record).build();
}

}  // namespace stoker::gateway
