// The loads that the policies are measured with, as sessions: chats whose every turn repeats all that was said before,
// and requests of a trace, which are sessions of one turn.
//
// Deterministic: the same arguments make the same load, wherever it is built with the same standard library.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/balance/prompt_hash.h"
#include "twin/block_pool.h"
#include "twin/trace.h"

namespace stoker::bench_balance {

using twin::Nanos;

struct Turn {
    std::uint32_t new_tokens = 1;  // What the client adds to the history.
    std::uint32_t output_tokens = 1;
    Nanos think{0};  // From the end of its answer to the next turn.
};

struct Session {
    std::uint64_t id = 0;             // Its own text is nobody else's.
    std::uint64_t system = 0;         // Sessions with the same number begin with the same text.
    std::uint32_t system_tokens = 0;  // So long.
    double bytes_per_token = 4;       // The gateway sees bytes and guesses tokens.
    Nanos start{0};
    std::vector<Turn> turns;
};

struct Load {
    std::string name;
    std::vector<Session> sessions;  // In order of their starts.
    Nanos length{0};                // Nothing starts after it.
};

// Chats of `rate` new sessions a second, with the system prompts of 64 applications of very different popularity.
Load chat_load(double rate, Nanos length, std::uint64_t seed, std::uint32_t max_context);
// The requests of a trace at `rate` a second on average, over again if it is shorter than `length`; no two of them have
// text in common, as nothing is known of it. `rows` may be empty: drawn from the quantiles in twin/trace.h.
Load trace_load(std::string name, std::vector<twin::TraceRow> rows, double rate, Nanos length, std::uint64_t seed,
                std::uint32_t max_context);
// A CSV file, may be gzipped.
Result<std::vector<twin::TraceRow>> read_trace(const std::string& path);

// The first `tokens` of the session's text in the blocks of an engine, and in those of the gateway.
std::vector<twin::BlockHash> engine_blocks(const Session& session, std::uint32_t tokens, std::uint32_t block_tokens);
std::vector<gateway::PromptHash> gateway_blocks(const Session& session, std::uint32_t tokens);
// What the gateway takes the prompt for.
std::int64_t estimated_tokens(const Session& session, std::uint32_t tokens);

}  // namespace stoker::bench_balance
