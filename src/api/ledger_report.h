// Three ledgers of tokens side by side, for each replica: what the gateway counted, what answers said, what the
// engine's own counters moved; and what was computed for nothing. docs/gateway.md says what their differences mean.
//
// From the store's samples, without extrapolation: an increase is the sum of steps from one sample to the next. Our own
// counters begin at 0. What an engine's counter stood at when it was first seen, or seen again after a restart or a
// while out of sight, is where it is counted from, and what we know of the time before is not compared with it. Sums
// are exact but for the seconds between two samples at both ends.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "tsdb/querier.h"

namespace stoker::api {

struct LedgerTokens {
    double counted = 0;       // By the gateway: a stream's events with content. Completions only.
    double usage_stream = 0;  // By what answers said.
    double usage_whole = 0;
    double unreported = 0;         // Counted of streams whose usage never came.
    std::optional<double> engine;  // By its own counter; empty if it shows none, or not yet twice.
    // Part of known(), but not compared: what happened while the engine's counter was out of sight, that is before the
    // first look at it, around a restart, and as long as it was down or out of its pool.
    double unseen = 0;

    double known() const { return usage_stream + usage_whole + unreported; }
    double comparable() const { return known() - unseen; }
};

struct Ledger {
    LedgerTokens prompt;
    LedgerTokens completion;
};

// Differences above the bound.
enum class Drift : std::uint8_t {
    EngineMore,  // The engine's counter moved by more than the gateway knows of.
    EngineLess,  // By less.
    UsageLess    // Answers said fewer tokens than came as events.
};
std::string_view to_string(Drift drift);  // snake_case

// Differ by more than this share of the larger, and by more than so many tokens. As in config/rules/llm.yaml.
inline constexpr double kLedgerBound = 0.1;
inline constexpr double kLedgerLeast = 1'000;

std::vector<Drift> drifts_of(const Ledger& ledger);

struct ReplicaLedger {
    std::string pool;
    std::string replica;
    Ledger all;
    std::map<std::string, Ledger> models;      // As clients name them; `engine` is empty.
    std::map<std::string, Ledger> own_models;  // As the engine names them; only `engine`.
};

struct LedgerReport {
    std::vector<ReplicaLedger> replicas;
    std::map<std::tuple<std::string, std::string, std::string>, double> waste;  // By pool, type, reason.
};

// What happened in (from, to]. Errors: of the store.
Result<LedgerReport> report_ledgers(const tsdb::Querier& querier, Timestamp from, Timestamp to);

}  // namespace stoker::api
