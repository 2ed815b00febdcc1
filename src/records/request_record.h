// One request as it is remembered: who asked, where it went, how long each part took, what it used.
//
// Written by the gateway, carried by the journal as JSON (docs/format/records.md), loaded into the record store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stoker::records {

// One try on one replica.
struct Attempt {
    std::string replica;          // Replica id: "chat/127.0.0.1:9001".
    int status = 0;               // The upstream's HTTP status; 0 if none came.
    std::string error;            // Empty, or a net::Fault or cause in snake_case.
    std::int64_t started_ns = 0;  // After the request was received.
    std::int64_t duration_ns = 0;
    std::int64_t tokens = 0;  // Of the answer, as far as they reached the client.
    std::int64_t wasted = 0;  // Completion tokens that it made and nobody got, as far as they were seen.
    std::string kind{};       // Why it was made: retry, fallback, continuation, hedge; empty: it is the first.
};

enum class UsageSource : std::uint8_t { None, Engine, Estimated };
std::string_view to_string(UsageSource source);  // "none", "engine", "estimated"

struct RequestRecord {
    std::string id;               // x-request-id.
    std::string trace_id;         // W3C, 32 hex digits.
    std::string span_id;          // Of the request itself, 16 hex digits; empty in records of before there was one.
    std::string parent_span_id;   // The caller's; empty if it sent none.
    std::int64_t time_ms = 0;     // When the request was received, ms since 1970.
    std::string endpoint;         // "/v1/chat/completions"
    std::string model;            // That answered, or was asked last.
    std::string requested_model;  // As the client named it; empty if that is `model`.
    std::string rule{};           // Of the routing, that chose where it went; empty: none matched.
    std::string split{};          // Or canary, that drew an arm; empty: none did.
    std::string arm{};            // Where that led.
    std::string shadow{};         // This is a copy for that shadow, which no client saw,
    std::string shadow_of{};      // of the request with this id.
    std::string pool;
    std::string replica;  // The one that answered; empty if none did.
    std::string tenant;
    std::string key_id;  // Of the key, never the key; empty if there was none.
    std::string client;  // Peer address.
    bool stream = false;

    int status = 0;             // Sent to the client; 499 if the client left before the end.
    std::string outcome;        // ok | client_error | upstream_error | truncated | cancelled | rejected | shadow
    std::string error;          // Stable error code, empty when ok.
    std::string finish_reason;  // As the engine said: stop, length, ...

    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    std::int64_t cached_tokens = 0;       // Part of prompt_tokens: found in the engine's prefix cache,
    std::int64_t cache_write_tokens = 0;  // and written to it (Anthropic).
    std::int64_t reasoning_tokens = 0;    // Part of completion_tokens.
    std::int64_t wasted_tokens = 0;       // Generated, but delivered to nobody.
    std::int64_t recomputed_tokens = 0;   // Of the prompt: were in a cache of the pool, and were computed all the same.
    UsageSource usage_source = UsageSource::None;

    // What the gateway did before the first attempt, one after the other; 0: nothing worth a clock.
    std::int64_t receive_ns = 0;  // To the end of the body, and reading what it asks for.
    std::int64_t route_ns = 0;    // Who asks, what is left of it under load, where it goes.
    std::int64_t limit_ns = 0;    // Reserving what limits allow.
    std::int64_t cache_ns = 0;    // Looking for an answer that is there.
    std::int64_t queue_ns = 0;    // Waiting for a turn.
    std::int64_t write_ns = 0;    // Until the client's socket took what was sent, but for an answer's last bytes.

    std::string cache;    // "hit", "semantic", "coalesced", "miss", "bypass"; empty: no rule holds.
    int degradation = 0;  // Level, 0 to 4.

    std::int64_t duration_ns = 0;
    std::int64_t ttft_ns = 0;      // To the first event with content; 0 if there was none.
    std::int64_t itl_mean_ns = 0;  // Between content events; 0 with fewer than two.
    std::int64_t itl_max_ns = 0;
    std::int64_t events = 0;  // Content events passed on.
    std::int64_t request_bytes = 0;
    std::int64_t response_bytes = 0;
    std::vector<Attempt> attempts;
};

// The error of an attempt that was ended because another one, beside it, had answered.
inline constexpr std::string_view kHedgeLost = "hedge_lost";

// The attempt that answered, or was the last to try; null if there was none.
const Attempt* answering_attempt(const RequestRecord& record);

// JSON with every field, "v":1 first. parse reads what any older version wrote. Errors: Corruption.
std::string to_json(const RequestRecord& record);
Result<RequestRecord> request_record_from_json(std::string_view json);

// The attempts alone, as a JSON array: how the record store keeps them.
std::string to_json(const std::vector<Attempt>& attempts);
Result<std::vector<Attempt>> attempts_from_json(std::string_view json);

}  // namespace stoker::records
