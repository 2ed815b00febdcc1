// The gateway's two of three ledgers of tokens: what it counted itself, and what answers said.
//
// Every attempt that an engine answered is entered once, whatever became of it: answers that were cut, retried, or
// given up by their clients too, since the engine's own counters, the third ledger, moved for them all the same. Where
// all is well,
//
//     counted = usage of streams + unreported          an event with content is about a token
//     engine  = usage + unreported                     and nobody else asks this engine
//
// "unreported" is what was counted of streams that ended before their usage came. Whole answers have no events, so
// there only usage counts. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/metrics.h"
#include "wire/usage.h"

namespace stoker::gateway {

// What one attempt gave, by itself: of a continued stream only its own part.
struct AttemptTokens {
    bool stream = false;
    std::int64_t events = 0;  // With content.
    std::optional<wire::Usage> usage;
    std::int64_t estimated_prompt = 0;  // Where no usage came.
};

// The usage of a stream that went on with `before` tokens of another replica's answer, as its engine saw it: they were
// prompt there. `usage` is as the client gets it, of the whole answer.
wire::Usage own_usage(const wire::Usage& usage, std::int64_t before);

// stoker_gateway_ledger_tokens_total of one model on one replica. Handles live as long as their registry.
struct LedgerSeries {
    metrics::Counter* counted = nullptr;
    metrics::Counter* stream_prompt = nullptr;  // By usage.
    metrics::Counter* stream_completion = nullptr;
    metrics::Counter* whole_prompt = nullptr;
    metrics::Counter* whole_completion = nullptr;
    metrics::Counter* unreported_prompt = nullptr;
    metrics::Counter* unreported_completion = nullptr;

    // `series` gives the counter with these values of the labels ledger, answer and type.
    using Lookup = std::function<metrics::Counter*(const char* ledger, const char* answer, const char* type)>;
    static LedgerSeries of(const Lookup& series);

    void enter(const AttemptTokens& attempt) const;
};

}  // namespace stoker::gateway
