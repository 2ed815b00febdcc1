// Continuous batching, simulated: what a vLLM-like engine does with its queue, its batch and its KV cache, without the
// model.
//
// Work happens in steps. A step computes one token for each sequence that decodes and, with what is left of its token
// budget, chunks of prompts; how long it takes follows from the profile. Running sequences go first; a sequence that
// gets no KV block pre-empts the one that came last, which then waits at the front of the queue and computes its tokens
// anew. New sequences are admitted in order of arrival while the batch and the cache have room.
//
// Sans-I/O: time is an argument. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/time.h"
#include "twin/block_pool.h"
#include "twin/profile.h"

namespace stoker::twin {

using SequenceId = std::uint64_t;

struct SequenceSpec {
    SequenceId id = 0;
    std::uint32_t prompt_tokens = 1;
    std::uint32_t output_tokens = 1;  // REQUIRES: at least 1, and prompt + output fit the profile's max_context.
    std::vector<BlockHash> prefix{};  // One for each full block of the prompt; empty: nothing to share.
};

struct SchedulerEvent {
    enum class Kind : std::uint8_t {
        Started,    // First admitted to the batch.
        Token,      // One more token.
        Finished,   // Follows the last token.
        Preempted,  // Back to the queue; its tokens stay delivered.
    };
    SequenceId id = 0;
    Kind kind = Kind::Token;
    SteadyTime at{};
};

struct SchedulerStats {
    std::uint64_t steps = 0;
    std::uint64_t prompt_tokens_computed = 0;
    std::uint64_t preemptions = 0;
    std::uint64_t prefix_queries = 0;  // Tokens looked up, and found.
    std::uint64_t prefix_hits = 0;
};

class Scheduler {
public:
    explicit Scheduler(const Profile& profile);

    void submit(SequenceSpec spec);
    // Forgets a sequence wherever it is; unknown ids are ignored.
    void cancel(SequenceId id);

    // Ends every step that is over by `now` and starts the next one, appending what happened in order of time.
    void advance(SteadyTime now, std::vector<SchedulerEvent>& events);
    // When advance() is due again; empty while there is nothing to run.
    std::optional<SteadyTime> wake_at() const { return step_ends_; }

    // Stretches the steps that start from now on.
    void set_slowdown(double factor) { slowdown_ = factor; }
    // Withholds this share of the KV cache, 0 to 1.
    void set_kv_withheld(double share);

    std::size_t running() const { return running_.size(); }
    std::size_t waiting() const { return waiting_.size(); }
    double kv_usage() const { return pool_.usage(); }
    const SchedulerStats& stats() const { return stats_; }

private:
    struct Sequence {
        SequenceSpec spec;
        std::uint32_t generated = 0;
        std::uint32_t computed = 0;   // Tokens whose KV is in the cache.
        std::uint32_t scheduled = 0;  // Tokens that the step under way computes.
        std::uint32_t shared = 0;     // Blocks held by reference, a front part of spec.prefix.
        std::uint32_t own = 0;        // Blocks held alone.
        bool started = false;

        std::uint32_t target() const { return spec.prompt_tokens + generated; }
    };

    void start_step(SteadyTime now, std::vector<SchedulerEvent>& events);
    void end_step(SteadyTime at, std::vector<SchedulerEvent>& events);
    std::uint32_t schedule_running(SteadyTime now, std::uint32_t budget, std::vector<SchedulerEvent>& events);
    void admit(SteadyTime now, std::uint32_t budget, std::vector<SchedulerEvent>& events);
    bool grow(Sequence& sequence, std::uint32_t tokens);
    void preempt_last(SteadyTime now, std::vector<SchedulerEvent>& events);
    void publish_prompt(Sequence& sequence);
    void release(Sequence& sequence);
    Nanos step_time() const;

    const Profile profile_;
    BlockPool pool_;
    std::deque<Sequence> waiting_;
    std::vector<Sequence> running_;  // In order of admission.
    std::optional<SteadyTime> step_ends_;
    double slowdown_ = 1;
    SchedulerStats stats_;
};

}  // namespace stoker::twin
