// Prefix affinity: a prompt goes where most of its beginning is cached, as long as that replica is not much busier than
// the others.
//
// Without that bound affinity feeds itself: the replica that has a popular prefix gets all requests with it, slows
// down, and still is the only one that has it. Here a favourite above `load_factor` times its share (and `load_slack`
// requests) spills to the least busy one, which then has the prefix too.
#include <cmath>

#include "gateway/balance/balance_policy.h"

namespace stoker::gateway {
namespace {

class Prefix : public BalancePolicy {
public:
    Prefix(double load_factor, std::int64_t load_slack) : load_factor_(load_factor), load_slack_(load_slack) {}

    bool wants_prefix() const override { return true; }

    std::optional<Choice> pick(std::span<const TargetView> targets, const PickFacts& facts) const override {
        const double most = bound(targets);
        std::optional<std::size_t> favourite;
        for (std::size_t step = 0; step < targets.size(); ++step) {
            const std::size_t index = (facts.turn + step) % targets.size();
            const TargetView& target = targets[index];
            if (!target.eligible || target.prefix_tokens == 0) continue;
            if (!favourite || better(target, targets[*favourite])) favourite = index;
        }
        if (favourite && static_cast<double>(targets[*favourite].requests) < most * targets[*favourite].weight) {
            return Choice{*favourite, PickReason::Prefix};
        }
        auto choice = others_->pick(targets, facts);
        if (choice && favourite) {
            choice->reason = choice->target == *favourite ? PickReason::Prefix : PickReason::Spill;
        }
        return choice;
    }

    // Tokens to compute; what is too busy is not better for what it has.
    void score(std::span<const TargetView> targets, const PickFacts& facts, std::span<double> scores) const override {
        const double most = bound(targets);
        for (std::size_t i = 0; i < targets.size(); ++i) {
            const bool full = static_cast<double>(targets[i].requests) >= most * targets[i].weight;
            scores[i] = static_cast<double>(facts.prompt_tokens - (full ? 0 : targets[i].prefix_tokens));
        }
    }

private:
    static bool better(const TargetView& a, const TargetView& b) {
        if (a.prefix_tokens != b.prefix_tokens) return a.prefix_tokens > b.prefix_tokens;
        return a.tokens < b.tokens;
    }

    // How many requests a replica of full weight may have for its affinity to count.
    double bound(std::span<const TargetView> targets) const {
        double requests = 1;
        double weights = 0;
        for (const TargetView& target : targets) {
            if (!target.eligible) continue;
            requests += static_cast<double>(target.requests);
            weights += target.weight;
        }
        if (weights <= 0) return 0;
        return std::ceil(load_factor_ * requests / weights) + static_cast<double>(load_slack_);
    }

    const double load_factor_;
    const std::int64_t load_slack_;
    const std::unique_ptr<BalancePolicy> others_ = internal::make_least_tokens();
};

}  // namespace

std::unique_ptr<BalancePolicy> internal::make_prefix(double load_factor, std::int64_t load_slack) {
    return std::make_unique<Prefix>(load_factor, load_slack);
}

}  // namespace stoker::gateway
