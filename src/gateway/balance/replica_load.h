// How busy one replica is, as the gateway counts it itself and as the engine said last.
//
// What the gateway counts is exact at every moment: requests under way, their tokens (prompt and expected answer), and
// the part of their prompts that is not computed yet. Beside it: how long first tokens took, as a peak-sensitive moving
// average, and how fast the replica is for the work that it was given. What the engine says comes from report().
//
// Lock-free, save for adapters(). Thread-safe; the fields of one view may be of slightly different moments.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/snapshot.h"
#include "base/time.h"
#include "gateway/balance/engine_load.h"

namespace stoker::gateway {

// What a request is expected to cost a replica, in tokens.
struct LoadEstimate {
    std::int64_t prompt_tokens = 0;
    std::int64_t new_tokens = 0;     // Of the prompt, those that the replica must presumably compute.
    std::int64_t output_tokens = 0;  // Expected of the answer.
    std::int64_t known_tokens = 0;   // Of the prompt, those that any replica of the pool presumably has cached.
};

// One attempt's part in a replica's load.
struct LoadTicket {
    LoadEstimate estimate;
    SteadyTime began{};
    std::int64_t ahead = 0;  // Prompt tokens that were to be computed before it.
    bool had_first_token = false;
};

class ReplicaLoad {
public:
    // One attempt, from begin() to one end(); between them what it shows of the replica, if it does.
    LoadTicket begin(const LoadEstimate& estimate, SteadyTime now);
    void first_token(LoadTicket& ticket, SteadyTime now);         // The first call counts.
    void whole_answer(const LoadTicket& ticket, SteadyTime now);  // One that was not streamed.
    void end(const LoadTicket& ticket);

    std::int64_t requests() const { return requests_.load(std::memory_order_relaxed); }
    std::int64_t tokens() const { return tokens_.load(std::memory_order_relaxed); }
    // Prompt tokens sent here and presumably not computed yet.
    std::int64_t prompt_work() const { return prompt_work_.load(std::memory_order_relaxed); }

    // Seconds to the first token, or to a whole answer: jumps up to a slow one at once and sinks with a time constant
    // of ten seconds; 0 while unknown. (Peak EWMA: the cost function of Twitter's Finagle.)
    double first_token_seconds(SteadyTime now) const { return first_token_.value(now); }
    double answer_seconds(SteadyTime now) const { return answer_.value(now); }

    // Logarithm of seconds per token of prompt work, averaged over the first tokens of about half a minute: only good
    // for comparing replicas. `weight` is how much it is worth at `now`, 0 to 1: old or little experience is less.
    struct Pace {
        double log_seconds_per_token = 0;
        double weight = 0;
    };
    Pace pace(SteadyTime now) const;

    // Share of its part that the replica should get: 1, or less while it recovers (slow start). REQUIRES: above 0.
    void set_weight(double weight) { weight_.store(weight, std::memory_order_relaxed); }
    double weight() const { return weight_.load(std::memory_order_relaxed); }

    void report(const EngineReport& report);
    EngineLoad engine() const;
    // The engine is another one now: what it said no longer counts.
    void forget_engine() { engine_at_.store(0, std::memory_order_relaxed); }

    std::shared_ptr<const std::vector<LoraAdapter>> adapters() const { return adapters_.get(); }
    // The adapter of that name, as the engine lists it. Cheap where there are none.
    std::optional<LoraAdapter> adapter(std::string_view name) const;
    bool has_adapter(std::string_view name) const;
    // As the last report said; of the same age as engine().
    AdapterHeat adapter_heat(std::string_view name) const;

private:
    // A moving average that follows a rise at once.
    class Peak {
    public:
        void add(double seconds, SteadyTime now);
        double value(SteadyTime now) const;

    private:
        std::atomic<double> seconds_{0};
        std::atomic<std::int64_t> at_{0};
    };

    std::atomic<std::int64_t> requests_{0};
    std::atomic<std::int64_t> tokens_{0};
    std::atomic<std::int64_t> prompt_work_{0};
    Peak first_token_;
    Peak answer_;
    std::atomic<double> pace_{0};
    std::atomic<double> pace_weight_{0};
    std::atomic<std::int64_t> pace_at_{0};
    std::atomic<double> weight_{1};

    std::atomic<std::int64_t> engine_at_{0};
    std::atomic<double> running_{0};
    std::atomic<double> waiting_{0};
    std::atomic<double> kv_usage_{-1};
    std::atomic<std::int64_t> kv_tokens_{0};
    std::atomic<std::int64_t> engine_outstanding_{0};
    std::atomic<std::size_t> adapter_count_{0};
    Snapshot<std::vector<LoraAdapter>> adapters_;
    Snapshot<AdapterActivity> activity_;
};

}  // namespace stoker::gateway
