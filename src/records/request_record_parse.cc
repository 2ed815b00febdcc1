// Reading request records. The parser is fed by events, so no tree is built; keys that it doesn't know are skipped with
// all that hangs below them, and fields that are missing or null keep their initial values, so records of every version
// pass.
#include <limits>
#include <variant>

#include "records/json_reader.h"
#include "records/request_record.h"

namespace stoker::records {
namespace {

using Target = std::variant<std::monostate, std::string*, std::int64_t*, int*, bool*, UsageSource*>;

Target target_of(Attempt& attempt, std::string_view key) {
    if (key == "replica") return &attempt.replica;
    if (key == "status") return &attempt.status;
    if (key == "error") return &attempt.error;
    if (key == "started_ns") return &attempt.started_ns;
    if (key == "duration_ns") return &attempt.duration_ns;
    if (key == "tokens") return &attempt.tokens;
    if (key == "wasted") return &attempt.wasted;
    if (key == "kind") return &attempt.kind;
    return {};
}

Target target_of(RequestRecord& record, std::string_view key) {
    if (key == "id") return &record.id;
    if (key == "trace_id") return &record.trace_id;
    if (key == "span_id") return &record.span_id;
    if (key == "parent_span_id") return &record.parent_span_id;
    if (key == "time_ms") return &record.time_ms;
    if (key == "endpoint") return &record.endpoint;
    if (key == "model") return &record.model;
    if (key == "requested_model") return &record.requested_model;
    if (key == "rule") return &record.rule;
    if (key == "split") return &record.split;
    if (key == "arm") return &record.arm;
    if (key == "shadow") return &record.shadow;
    if (key == "shadow_of") return &record.shadow_of;
    if (key == "pool") return &record.pool;
    if (key == "replica") return &record.replica;
    if (key == "tenant") return &record.tenant;
    if (key == "key_id") return &record.key_id;
    if (key == "client") return &record.client;
    if (key == "stream") return &record.stream;
    if (key == "status") return &record.status;
    if (key == "outcome") return &record.outcome;
    if (key == "error") return &record.error;
    if (key == "finish_reason") return &record.finish_reason;
    if (key == "prompt_tokens") return &record.prompt_tokens;
    if (key == "completion_tokens") return &record.completion_tokens;
    if (key == "cached_tokens") return &record.cached_tokens;
    if (key == "cache_write_tokens") return &record.cache_write_tokens;
    if (key == "reasoning_tokens") return &record.reasoning_tokens;
    if (key == "wasted_tokens") return &record.wasted_tokens;
    if (key == "recomputed_tokens") return &record.recomputed_tokens;
    if (key == "receive_ns") return &record.receive_ns;
    if (key == "route_ns") return &record.route_ns;
    if (key == "limit_ns") return &record.limit_ns;
    if (key == "cache_ns") return &record.cache_ns;
    if (key == "queue_ns") return &record.queue_ns;
    if (key == "write_ns") return &record.write_ns;
    if (key == "cache") return &record.cache;
    if (key == "degradation") return &record.degradation;
    if (key == "usage_source") return &record.usage_source;
    if (key == "duration_ns") return &record.duration_ns;
    if (key == "ttft_ns") return &record.ttft_ns;
    if (key == "itl_mean_ns") return &record.itl_mean_ns;
    if (key == "itl_max_ns") return &record.itl_max_ns;
    if (key == "events") return &record.events;
    if (key == "request_bytes") return &record.request_bytes;
    if (key == "response_bytes") return &record.response_bytes;
    return {};
}

UsageSource usage_source_of(std::string_view text) {
    if (text == "engine") return UsageSource::Engine;
    if (text == "estimated") return UsageSource::Estimated;
    return UsageSource::None;
}

// Reads the value here into what `target` points at; skips it if that is nothing.
bool read_into(JsonReader& json, const Target& target) {
    if (std::holds_alternative<std::monostate>(target)) return json.skip();
    if (json.null()) return true;
    if (auto* text = std::get_if<std::string*>(&target)) return json.string(**text);
    if (auto* flag = std::get_if<bool*>(&target)) return json.boolean(**flag);
    if (auto* number = std::get_if<std::int64_t*>(&target)) return json.integer(**number);
    if (auto* small = std::get_if<int*>(&target)) {
        std::int64_t value = 0;
        if (!json.integer(value)) return false;
        if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
            return json.fail("a status is out of range");
        }
        **small = static_cast<int>(value);
        return true;
    }
    std::string source;
    if (!json.string(source)) return false;
    *std::get<UsageSource*>(target) = usage_source_of(source);
    return true;
}

bool read_attempts(JsonReader& json, std::vector<Attempt>& attempts) {
    attempts.clear();
    if (json.null()) return true;
    return json.array([&] {
        if (!json.is_object()) return json.fail("an attempt was expected");
        Attempt& attempt = attempts.emplace_back();
        return json.object([&](std::string_view key) { return read_into(json, target_of(attempt, key)); });
    });
}

Error corruption(const JsonReader& json) {
    return {Errc::Corruption, "request record: " + json.problem()};
}

}  // namespace

Result<RequestRecord> request_record_from_json(std::string_view text) {
    JsonReader json(text);
    RequestRecord record;
    const bool read = json.object([&](std::string_view key) {
        if (key == "attempts") return read_attempts(json, record.attempts);
        return read_into(json, target_of(record, key));
    });
    if (!read || !json.at_end()) return corruption(json);
    return record;
}

Result<std::vector<Attempt>> attempts_from_json(std::string_view text) {
    JsonReader json(text);
    std::vector<Attempt> attempts;
    if (!read_attempts(json, attempts) || !json.at_end()) return corruption(json);
    return attempts;
}

}  // namespace stoker::records
