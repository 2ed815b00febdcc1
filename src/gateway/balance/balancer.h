// One pool's choice of replicas: a policy, and what it has to remember from request to request.
//
//   auto balancer = Balancer::create(options, ids, before);
//   auto pick = balancer->pick(targets, request);      // Which one, why, and what it will presumably cost.
//   auto ticket = load.begin(pick->estimate, now);         // Until load.end(ticket).
//
// A pick costs no lock, and no allocation once its thread has made one. It knows nothing of HTTP, health or
// configuration files: balance.h fits it to the gateway, bench/balance drives it in virtual time. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/balance/balance_policy.h"
#include "gateway/balance/prefix_index.h"
#include "gateway/balance/prompt_hash.h"

namespace stoker::gateway {

struct BalanceTarget {
    const ReplicaLoad* load = nullptr;
    bool eligible = true;
};

struct BalanceRequest {
    SteadyTime now{};
    std::string_view model{};              // What is cached for one model is of no use to another.
    std::string_view adapter{};            // The LoRA adapter that is wanted; empty: none.
    std::string_view prompt{};             // As written by the client.
    std::span<const PromptHash> blocks{};  // Instead of `prompt`, where its hashes are known.
    std::int64_t prompt_tokens = 0;        // 0: by the length of `prompt`.
    std::int64_t max_tokens = 0;           // That the client allows for the answer; 0: no limit given.
    std::string_view session{};
    bool stream = false;
};

struct Pick {
    std::size_t target = 0;
    PickReason reason{};
    LoadEstimate estimate;
};

// One target as a pick saw it.
struct PickInputs {
    TargetView view;
    double score = 0;  // The lowest wins, where the policy compares scores.
};

class Balancer {
public:
    // `ids` name the targets, in their order. What `before` (may be null) remembers of replicas that stay is kept.
    static std::shared_ptr<Balancer> create(const BalanceOptions& options, std::span<const std::string> ids,
                                            const std::shared_ptr<Balancer>& before);

    // The target that the policy prefers, and from then on takes to have the prompt. Empty if none is eligible.
    // REQUIRES: targets are those of create().
    std::optional<Pick> pick(std::span<const BalanceTarget> targets, const BalanceRequest& request);

    // What pick() would do now, and by which inputs: inputs[i] is of targets[i]. Changes nothing.
    std::optional<Pick> explain(std::span<const BalanceTarget> targets, const BalanceRequest& request,
                                std::vector<PickInputs>& inputs) const;

    // An answer had so many tokens: what is to be expected of the next ones.
    void note_answer(std::int64_t completion_tokens);
    // The replica's process is another one: its cache is empty.
    void forget(std::size_t target);

    const BalanceOptions& options() const { return options_; }
    double usual_output_tokens() const { return usual_output_.load(std::memory_order_relaxed); }

private:
    struct Prepared;
    Balancer(const BalanceOptions& options, std::span<const std::string> ids);
    void prepare(std::span<const BalanceTarget> targets, const BalanceRequest& request, std::uint64_t turn,
                 Prepared& prepared) const;
    LoadEstimate estimate(const Prepared& prepared, std::size_t target) const;

    const BalanceOptions options_;
    const std::vector<std::string> ids_;
    std::vector<std::uint64_t> keys_;  // Of ids_.
    std::vector<std::size_t> slots_;   // In the index, of each target.
    const std::unique_ptr<BalancePolicy> policy_;
    std::shared_ptr<PrefixIndex> index_;  // Null where the policy has no use for it.
    std::atomic<std::uint64_t> turn_{0};
    std::atomic<double> usual_output_;
    std::atomic<double> usual_prompt_{0};
};

}  // namespace stoker::gateway
