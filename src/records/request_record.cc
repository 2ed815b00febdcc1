#include "records/request_record.h"

#include <charconv>

#include "base/text.h"

namespace stoker::records {
namespace {

constexpr std::size_t kTypicalBytes = 1024;

// Most texts are plain ASCII without anything to escape; those are copied as they are.
bool is_plain(std::string_view text) {
    for (const char c : text) {
        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F) return false;  // Bytes above 127 are negative: not plain.
    }
    return true;
}

class Writer {
public:
    Writer() { out_.reserve(kTypicalBytes); }

    void open(char bracket) {
        out_ += bracket;
        first_ = true;
    }
    void close(char bracket) {
        out_ += bracket;
        first_ = false;
    }
    void element() {
        if (!first_) out_ += ',';
        first_ = false;
    }
    void key(std::string_view name) {
        element();
        out_ += '"';
        out_ += name;
        out_ += "\":";
    }
    void field(std::string_view name, std::string_view text) {
        key(name);
        if (is_plain(text)) {
            out_ += '"';
            out_ += text;
            out_ += '"';
        } else {
            out_ += quote_json(text);
        }
    }
    void field(std::string_view name, const std::string& text) { field(name, std::string_view(text)); }
    void field(std::string_view name, std::int64_t number) {
        key(name);
        char digits[24];
        const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
        out_.append(digits, static_cast<std::size_t>(end - digits));
    }
    void field(std::string_view name, bool value) {
        key(name);
        out_ += value ? "true" : "false";
    }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
    bool first_ = true;
};

void write(Writer& json, const Attempt& attempt) {
    json.element();
    json.open('{');
    json.field("replica", attempt.replica);
    json.field("status", std::int64_t{attempt.status});
    json.field("error", attempt.error);
    json.field("started_ns", attempt.started_ns);
    json.field("duration_ns", attempt.duration_ns);
    json.field("tokens", attempt.tokens);
    json.field("wasted", attempt.wasted);
    json.close('}');
}

void write(Writer& json, const std::vector<Attempt>& attempts) {
    json.open('[');
    for (const Attempt& attempt : attempts) write(json, attempt);
    json.close(']');
}

}  // namespace

std::string_view to_string(UsageSource source) {
    switch (source) {
        case UsageSource::None:
            return "none";
        case UsageSource::Engine:
            return "engine";
        case UsageSource::Estimated:
            return "estimated";
    }
    return "none";
}

std::string to_json(const RequestRecord& record) {
    Writer json;
    json.open('{');
    json.field("v", std::int64_t{1});
    json.field("id", record.id);
    json.field("trace_id", record.trace_id);
    json.field("span_id", record.span_id);
    if (!record.parent_span_id.empty()) json.field("parent_span_id", record.parent_span_id);
    json.field("time_ms", record.time_ms);
    json.field("endpoint", record.endpoint);
    json.field("model", record.model);
    if (!record.requested_model.empty()) json.field("requested_model", record.requested_model);
    json.field("pool", record.pool);
    json.field("replica", record.replica);
    json.field("tenant", record.tenant);
    json.field("key_id", record.key_id);
    json.field("client", record.client);
    json.field("stream", record.stream);
    json.field("status", std::int64_t{record.status});
    json.field("outcome", record.outcome);
    json.field("error", record.error);
    json.field("finish_reason", record.finish_reason);
    json.field("prompt_tokens", record.prompt_tokens);
    json.field("completion_tokens", record.completion_tokens);
    json.field("cached_tokens", record.cached_tokens);
    json.field("cache_write_tokens", record.cache_write_tokens);
    json.field("reasoning_tokens", record.reasoning_tokens);
    json.field("wasted_tokens", record.wasted_tokens);
    json.field("recomputed_tokens", record.recomputed_tokens);
    json.field("usage_source", to_string(record.usage_source));
    json.field("receive_ns", record.receive_ns);
    json.field("route_ns", record.route_ns);
    json.field("limit_ns", record.limit_ns);
    json.field("queue_ns", record.queue_ns);
    if (!record.cache.empty()) json.field("cache", record.cache);
    if (record.degradation != 0) json.field("degradation", std::int64_t{record.degradation});
    json.field("duration_ns", record.duration_ns);
    json.field("ttft_ns", record.ttft_ns);
    json.field("itl_mean_ns", record.itl_mean_ns);
    json.field("itl_max_ns", record.itl_max_ns);
    json.field("events", record.events);
    json.field("request_bytes", record.request_bytes);
    json.field("response_bytes", record.response_bytes);
    json.key("attempts");
    write(json, record.attempts);
    json.close('}');
    return json.take();
}

std::string to_json(const std::vector<Attempt>& attempts) {
    Writer json;
    write(json, attempts);
    return json.take();
}

}  // namespace stoker::records
