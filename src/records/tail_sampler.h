// Tail sampling: which traces are kept is decided when most of their spans are there.
//
// Traces with an error, and slow ones, are always kept. Of the others a share is, by the trace's own id, so that all
// who see the trace decide alike: `rate`, or less where more traces than `per_second` come. A kept span says how many
// it stands for (weight), so sums over weights are true counts in expectation. While everything is kept nothing waits.
//
// A pure state machine: time is an argument. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "records/telemetry.h"

namespace stoker::records {

struct SamplingOptions {
    double rate = 1;             // Share of ordinary traces to keep, 0 to 1.
    double per_second = 20;      // Ordinary traces to keep a second, on average; 0: no such limit.
    Duration slow{10'000};       // A span at least this long makes its trace slow; 0: none is.
    Duration wait{10'000};       // From a trace's first span to the decision.
    std::size_t most = 200'000;  // Spans that wait; past it decisions are made early.
};

// The place of a trace in [0, 1), from the random part of its id (W3C trace context level 2: the last 14 hex digits).
double trace_place(std::string_view trace_id);

// With which probability an ordinary trace is to be kept, from how many came in the last seconds.
class TraceRate {
public:
    explicit TraceRate(SamplingOptions options) : options_(options) {}

    // One more ordinary trace came at `now`.
    void count(Timestamp now);
    // > 0 if `rate` is.
    double probability(Timestamp now);

private:
    static constexpr std::int64_t kSeconds = 10;  // What is averaged over.
    void advance(Timestamp now);

    SamplingOptions options_;
    std::deque<std::pair<std::int64_t, std::uint64_t>> seconds_;  // Second and traces in it; the last one is running.
};

class TailSampler {
public:
    explicit TailSampler(SamplingOptions options) : options_(options), rate_(options) {}

    // What the journal's record `sequence` held. REQUIRES: sequences grow.
    void add(std::uint64_t sequence, Timestamp arrived, std::vector<SpanRow> spans);

    struct Decided {
        std::vector<SpanRow> kept;
        std::uint64_t last_sequence = 0;  // All records up to it are decided; 0: none is.
        std::uint64_t dropped = 0;        // Spans.
    };
    // What is decided by `now`, in the order in which it came.
    Decided take(Timestamp now);

    // The trace was kept before.
    void remember(const std::string& trace_id, double weight, Timestamp when);

    std::size_t waiting() const { return waiting_; }
    // Forgets what waits, not what was decided.
    void forget_waiting();

private:
    static constexpr std::size_t kMostTraces = 400'000;
    static constexpr Duration kRemember{300'000};  // Spans that come later are decided anew.

    enum class Verdict : std::uint8_t { Open, Keep, Drop };
    struct Trace {
        bool always = false;  // It has an error or is slow.
        Verdict verdict = Verdict::Open;
        double weight = 1;
        double probability = 1;  // Of keeping it, if it is ordinary, from when it was first seen.
    };
    struct Record {
        std::uint64_t sequence;
        Timestamp arrived;
        bool sure;  // All of it will be kept: nothing to wait for.
        std::vector<SpanRow> spans;
    };

    Trace& trace_of(const std::string& id, Timestamp now);
    static void decide(const std::string& id, Trace& trace);
    void forget_old(Timestamp now);
    bool is_slow(const SpanRow& span) const;

    const SamplingOptions options_;
    TraceRate rate_;
    std::deque<Record> records_;
    std::size_t waiting_ = 0;  // Spans in records_.
    std::unordered_map<std::string, Trace> traces_;
    std::deque<std::pair<Timestamp, std::string>> ages_;  // Of traces_, oldest first.
};

}  // namespace stoker::records
