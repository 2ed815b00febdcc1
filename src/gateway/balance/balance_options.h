// How a pool chooses among its replicas, as the configuration says it (`balance:`).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"

namespace stoker::gateway {

enum class BalanceKind : std::uint8_t {
    Score,          // Least expected work: prefix hits, queues, batch, KV headroom, pace. The default.
    RoundRobin,     // In turn.
    LeastRequests,  // Fewest requests under way.
    LeastTokens,    // Fewest tokens (prompts and expected answers) under way.
    PeakEwma,       // The better of two at random, by recent latency times requests under way.
    Session,        // By a hash of the session: always the same replica.
    BoundedHash,    // The same, unless that replica is fuller than its share times `load_factor`.
    Prefix          // Where most of the prompt's beginning is cached, unless that one is much busier than the others.
};
// "score", "round_robin", "least_requests", "least_tokens", "peak_ewma", "session", "bounded_hash", "prefix".
std::string_view to_string(BalanceKind kind);
std::optional<BalanceKind> parse_balance_kind(std::string_view name);
std::span<const BalanceKind> all_balance_kinds();

struct BalanceOptions {
    BalanceKind kind = BalanceKind::Score;
    std::string session_header = "x-session-id";  // Else the body's `user`, else the key's id names a session.
    double load_factor = 1.25;    // BoundedHash, Prefix: how much more than its share a favourite may have. Above 1.
    std::int64_t load_slack = 4;  // Prefix: and so many requests more, so that an idle pool does not spill.
    std::size_t prefix_memory_bytes = std::size_t{16} << 20;  // Prefix, Score: of the table of cached prefixes.
    std::int64_t cache_tokens = 400'000;  // What a replica's KV cache holds, where the engine does not say.
    Duration stale_after{15'000};         // What an engine said longer ago counts for nothing: three scrapes.

    friend bool operator==(const BalanceOptions&, const BalanceOptions&) = default;
};

}  // namespace stoker::gateway
