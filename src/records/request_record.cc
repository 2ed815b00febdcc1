#include "records/request_record.h"

#include <charconv>
#include <cstring>
#include <utility>

#include "base/byte_scan.h"
#include "base/text.h"

namespace stoker::records {
namespace {

// Writes into memory of its own: a record has forty fields, and a string would look at its size for each piece.
class Writer {
public:
    void open(char bracket) {
        *room(1) = bracket;
        ++size_;
        first_ = true;
    }
    void close(char bracket) {
        *room(1) = bracket;
        ++size_;
        first_ = false;
    }
    void element() {
        if (!std::exchange(first_, false)) put(",");
    }
    void key(std::string_view name) {
        char* at = room(name.size() + 4);
        if (!std::exchange(first_, false)) *at++ = ',';
        *at++ = '"';
        std::memcpy(at, name.data(), name.size());
        at += name.size();
        *at++ = '"';
        *at++ = ':';
        size_ = static_cast<std::size_t>(at - memory_.data());
    }
    void field(std::string_view name, std::string_view text) {
        key(name);
        // Most texts are plain ASCII without anything to escape; those are copied as they are.
        if (!is_plain_json(text)) return put(quote_json(text));
        char* at = room(text.size() + 2);
        *at++ = '"';
        if (!text.empty()) std::memcpy(at, text.data(), text.size());
        at[text.size()] = '"';
        size_ += text.size() + 2;
    }
    void field(std::string_view name, const std::string& text) { field(name, std::string_view(text)); }
    void field(std::string_view name, std::int64_t number) {
        constexpr std::size_t kMostDigits = 20;
        key(name);
        char* const at = room(kMostDigits);
        size_ += static_cast<std::size_t>(std::to_chars(at, at + kMostDigits, number).ptr - at);
    }
    void field(std::string_view name, bool value) {
        key(name);
        put(value ? "true" : "false");
    }
    std::string take() {
        memory_.resize(size_);
        return std::move(memory_);
    }

private:
    static constexpr std::size_t kTypicalBytes = 1536;

    // Space for `bytes` more.
    char* room(std::size_t bytes) {
        if (memory_.size() - size_ < bytes) memory_.resize(2 * memory_.size() + bytes);
        return memory_.data() + size_;
    }
    void put(std::string_view text) {
        std::memcpy(room(text.size()), text.data(), text.size());
        size_ += text.size();
    }

    std::string memory_ = std::string(kTypicalBytes, '\0');
    std::size_t size_ = 0;  // Of what is written; `memory_` is all there is.
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
    if (!attempt.kind.empty()) json.field("kind", attempt.kind);
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

const Attempt* answering_attempt(const RequestRecord& record) {
    for (auto attempt = record.attempts.rbegin(); attempt != record.attempts.rend(); ++attempt) {
        if (attempt->error != kHedgeLost) return &*attempt;
    }
    return record.attempts.empty() ? nullptr : &record.attempts.back();
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
    if (!record.rule.empty()) json.field("rule", record.rule);
    if (!record.split.empty()) {
        json.field("split", record.split);
        json.field("arm", record.arm);
    }
    if (!record.shadow.empty()) {
        json.field("shadow", record.shadow);
        json.field("shadow_of", record.shadow_of);
    }
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
    if (record.cache_ns != 0) json.field("cache_ns", record.cache_ns);
    json.field("queue_ns", record.queue_ns);
    if (record.write_ns != 0) json.field("write_ns", record.write_ns);
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
