// Faults on command: what a simulated engine is told to do wrong.
//
// A fault is either of the whole engine (it hangs, its cache is full) or is drawn for each request with a probability,
// at most `count` times. Every fault may end by itself after `for`. The kinds and their parameters are one table
// (faults.cc); unknown ones are refused with the valid ones named.
//
//   {"kind": "cut_stream", "after_tokens": 5, "probability": 0.5, "count": 3, "for": "30s"}
//
// Sans-I/O: time is an argument, chance is seeded. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stoker::twin {

enum class FaultKind : std::uint8_t {
    Crash,
    Hang,
    HangAll,
    KvExhausted,
    LatencyRamp,
    StallStream,
    CutStream,
    SlowFirstToken,
    ErrorRate,
    RateLimit,
    MalformedEvent,
    MissingDone,
    WrongUsage,
    NoUsage,
    ResetBeforeHeaders,
    NoAnswer,
    ContextTooLong,
    ContentRefused,
    RejectContinuation,
    BadMetrics
};
inline constexpr FaultKind kLastFaultKind = FaultKind::BadMetrics;

std::string_view to_string(FaultKind kind);  // "cut_stream"

struct Fault {
    FaultKind kind = FaultKind::Hang;
    double probability = 1;
    std::optional<std::uint64_t> count;  // Requests left to hit; empty: all.
    std::optional<Duration> lasts;       // Since it was set; empty: until deleted.
    std::optional<std::uint32_t> after_tokens;
    Duration delay{0};                    // SlowFirstToken.
    int status = 500;                     // ErrorRate.
    std::optional<Duration> retry_after;  // RateLimit.
    double factor = 1;                    // WrongUsage: completion tokens are multiplied; LatencyRamp: where it ends.
    Duration over{0};                     // LatencyRamp.
    double share = 1;                     // KvExhausted.
    std::string how = "json";             // BadMetrics: one of bad_metrics_ways().
    std::uint64_t hits = 0;
    SteadyTime set_at{};

    bool is_over(SteadyTime now) const { return (count && *count == 0) || (lasts && now - set_at >= *lasts); }
};

// Errors: InvalidArgument.
Result<Fault> parse_fault(std::string_view json);

// What befalls one request.
struct RequestFaults {
    std::optional<int> error_status;
    bool rate_limited = false;
    std::optional<Duration> retry_after;
    bool reset_before_headers = false;
    bool no_answer = false;
    bool context_too_long = false;
    bool content_refused = false;
    bool reject_continuation = false;
    Duration first_token_delay{0};
    std::optional<std::uint32_t> stall_after;  // Tokens sent before it happens.
    std::optional<std::uint32_t> cut_after;
    std::optional<std::uint32_t> malformed_after;
    std::optional<std::uint32_t> crash_after;
    bool missing_done = false;
    bool no_usage = false;
    double usage_factor = 1;
};

class Faults {
public:
    explicit Faults(std::uint64_t seed) : random_(seed) {}

    void add(Fault fault, SteadyTime now);
    void clear() { faults_.clear(); }
    // Removes those of one kind; false if there was none.
    bool clear(FaultKind kind);

    RequestFaults draw(SteadyTime now);

    bool hangs(SteadyTime now) const;
    bool health_hangs(SteadyTime now) const;
    double kv_withheld(SteadyTime now) const;
    double slowdown(SteadyTime now) const;
    // How the metrics page is bad; empty: it is good.
    std::string bad_metrics(SteadyTime now) const;

    // {"faults": [...]}, without those that are over.
    std::string json(SteadyTime now);

private:
    void drop_over(SteadyTime now);

    std::vector<Fault> faults_;
    std::mt19937_64 random_;
};

}  // namespace stoker::twin
