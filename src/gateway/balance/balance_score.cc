// The default policy: the replica that would have the least work until this request's first token, in prompt tokens.
//
//   score = (new + queue + batch + blocked + adapter) * pace / weight
//
//   new      prompt tokens that are not in the replica's cache
//   queue    prompt tokens sent there before and not computed yet, and those of foreign requests that wait there
//   batch    requests that decode there; each delays every step a little, as much as kBatchTokens of prompt would
//   blocked  the engine says that requests wait or that its KV cache is nearly full: one that comes now waits until
//            others end, and may push them out
//   adapter  a LoRA adapter that nobody uses there now must be brought in first, or wait for a place
//   pace     how slow the replica was lately for the work it had, against the others: one to four times
//   weight   its share while it recovers
//
// The first two are the estimate of time to first token that Mooncake schedules by (Qin et al., FAST 2025: queue plus
// prefill of what is not cached), the sum with the decode load is the cost of Dynamo's KV router (prefill blocks times
// a weight plus decode blocks), and adding work that caching saves to load that it causes is what Preble calls
// exploitation and exploration (Srivatsa et al., 2024). One unit for everything leaves no weights to be tuned between
// prefix and load: a cached prefix is worth exactly the queue that it saves, so a hot prefix spills by itself once
// computing it elsewhere is quicker, and no spiral can form.
//
// What the gateway counts itself is never stale. What the engines say adds only what the gateway can't see: requests
// that did not come through it, waiting in the engine, and the fill of the KV cache; all of it fades with its age
// (engine_load.h), so with old or no metrics the gateway's own counts and the pace are left.
#include <algorithm>
#include <cmath>

#include "gateway/balance/balance_policy.h"
#include "gateway/balance/balance_scratch.h"

namespace stoker::gateway {
namespace {

constexpr double kBatchTokens = 64;
constexpr double kBlockedTokens = 256;      // Per request that waits in the engine.
constexpr double kFullFrom = 0.9;           // KV usage from which new work starts to push out other work.
constexpr double kColdAdapterTokens = 512;  // Its weights come from the host's memory within tens of milliseconds.
constexpr double kNoRoomTokens = 4'096;     // It waits until all requests of one of the others are done.
constexpr double kUsualSpread = 0.3;        // Logarithm: replicas that differ by less than a third are alike.
constexpr double kMostPace = 4;

class Score : public BalancePolicy {
public:
    bool wants_prefix() const override { return true; }

    std::optional<Choice> pick(std::span<const TargetView> targets, const PickFacts& facts) const override {
        const auto scores = internal::scratch(targets.size());
        score(targets, facts, scores);
        const auto best = internal::lowest(targets, scores, facts.turn);
        if (!best) return {};
        std::int64_t most_cached = 0;
        for (const TargetView& target : targets) {
            if (target.eligible) most_cached = std::max(most_cached, target.prefix_tokens);
        }
        if (targets[*best].prefix_tokens < most_cached) return Choice{*best, PickReason::ScoreSpill};
        return Choice{*best, PickReason::Score};
    }

    void score(std::span<const TargetView> targets, const PickFacts& facts, std::span<double> scores) const override {
        const double usual = usual_pace(targets);
        for (std::size_t i = 0; i < targets.size(); ++i) {
            scores[i] = work(targets[i], facts) * pace(targets[i], usual) / targets[i].weight;
        }
    }

private:
    static double work(const TargetView& target, const PickFacts& facts) {
        const double foreign = target.fresh * foreign_requests(target.engine);
        const double engine_requests = target.engine.running + target.engine.waiting;
        const double waiting_share = engine_requests > 0 ? target.engine.waiting / engine_requests : 0;
        const auto fresh_tokens =
            static_cast<double>(std::max<std::int64_t>(facts.prompt_tokens - target.prefix_tokens, 0));
        const double queue =
            static_cast<double>(target.prompt_work) + foreign * waiting_share * facts.usual_prompt_tokens;
        const double batch = (static_cast<double>(target.requests) + foreign) * kBatchTokens;
        const double full = std::max(0.0, (target.engine.kv_usage - kFullFrom) / (1 - kFullFrom));
        const double blocked = target.fresh * (target.engine.waiting * kBlockedTokens +
                                               full * static_cast<double>(facts.prompt_tokens + facts.output_tokens));
        return fresh_tokens + queue + batch + blocked + target.fresh * adapter_cost(target.adapter) + 1;
    }

    static double adapter_cost(AdapterHeat heat) {
        switch (heat) {
            case AdapterHeat::Cold:
                return kColdAdapterTokens;
            case AdapterHeat::NoRoom:
                return kNoRoomTokens;
            case AdapterHeat::Unknown:
            case AdapterHeat::Active:
                break;
        }
        return 0;
    }

    // The mean of the logarithms, by how much each is worth.
    static double usual_pace(std::span<const TargetView> targets) {
        double sum = 0;
        double weight = 0;
        for (const TargetView& target : targets) {
            if (!target.eligible) continue;
            sum += target.pace.log_seconds_per_token * target.pace.weight;
            weight += target.pace.weight;
        }
        return weight > 0 ? sum / weight : 0;
    }

    static double pace(const TargetView& target, double usual) {
        const double difference = (target.pace.log_seconds_per_token - usual) * target.pace.weight;
        return std::clamp(std::exp(difference - kUsualSpread), 1.0, kMostPace);
    }
};

}  // namespace

std::unique_ptr<BalancePolicy> internal::make_score() {
    return std::make_unique<Score>();
}

}  // namespace stoker::gateway
