// Policies that look at load only: turns, fewest requests, fewest tokens, the better of two.
#include <algorithm>
#include <vector>

#include "gateway/balance/balance_policy.h"
#include "gateway/balance/balance_scratch.h"

namespace stoker::gateway {
namespace {

class RoundRobin : public BalancePolicy {
public:
    std::optional<Choice> pick(std::span<const TargetView> targets, const PickFacts& facts) const override {
        const auto count = static_cast<std::uint64_t>(
            std::count_if(targets.begin(), targets.end(), [](const TargetView& t) { return t.eligible; }));
        if (count == 0) return {};
        // One that recovers lets some of its turns pass to the next.
        for (std::uint64_t passed = 0;; ++passed) {
            const std::size_t index = nth_eligible(targets, (facts.turn + passed) % count);
            if (passed + 1 >= count || internal::dice(facts.turn, passed) < targets[index].weight) {
                return Choice{index, PickReason::Turn};
            }
        }
    }

private:
    static std::size_t nth_eligible(std::span<const TargetView> targets, std::uint64_t n) {
        std::size_t index = 0;
        for (;; ++index) {
            if (targets[index].eligible && n-- == 0) return index;
        }
    }
};

// The least of what `Load` reads, by share.
template <double (*Load)(const TargetView&)>
class Least : public BalancePolicy {
public:
    std::optional<Choice> pick(std::span<const TargetView> targets, const PickFacts& facts) const override {
        const auto scores = internal::scratch(targets.size());
        score(targets, facts, scores);
        const auto best = internal::lowest(targets, scores, facts.turn);
        if (!best) return {};
        return Choice{*best, PickReason::LeastBusy};
    }

    void score(std::span<const TargetView> targets, const PickFacts& /*facts*/,
               std::span<double> scores) const override {
        for (std::size_t i = 0; i < targets.size(); ++i) scores[i] = Load(targets[i]);
    }
};

double request_load(const TargetView& target) {
    // Where all are equal, nobody recovering gets the first request: hence what it would be with one more.
    return target.weight < 1 ? static_cast<double>(target.requests + 1) / target.weight - 1
                             : static_cast<double>(target.requests);
}

double token_load(const TargetView& target) {
    // A request of no tokens at all still is one.
    const auto load = static_cast<double>(target.tokens + target.requests);
    return target.weight < 1 ? (load + 1) / target.weight - 1 : load;
}

// Two of the pool at random, and of these the one with the lower recent latency times requests under way: Mitzenmacher,
// "The Power of Two Choices in Randomized Load Balancing" (2001), with the cost function of Finagle's P2C peak EWMA.
// A replica that is slow is left at once and tried again as its average sinks.
class PeakEwma : public BalancePolicy {
public:
    std::optional<Choice> pick(std::span<const TargetView> targets, const PickFacts& facts) const override {
        std::vector<std::size_t>& eligible = internal::index_scratch();
        eligible.clear();
        for (std::size_t i = 0; i < targets.size(); ++i) {
            if (targets[i].eligible) eligible.push_back(i);
        }
        if (eligible.empty()) return {};
        if (eligible.size() == 1) return Choice{eligible.front(), PickReason::Latency};
        const auto first = static_cast<std::size_t>(internal::dice(facts.turn, 0) * eligible.size());
        const auto gap = 1 + static_cast<std::size_t>(internal::dice(facts.turn, 1) * (eligible.size() - 1));
        const std::size_t one = eligible[first];
        const std::size_t other = eligible[(first + gap) % eligible.size()];
        return Choice{cost(targets[other]) < cost(targets[one]) ? other : one, PickReason::Latency};
    }

    void score(std::span<const TargetView> targets, const PickFacts& /*facts*/,
               std::span<double> scores) const override {
        for (std::size_t i = 0; i < targets.size(); ++i) scores[i] = cost(targets[i]);
    }

private:
    static double cost(const TargetView& target) {
        // Nothing is known and a request is under way already: wait for what it brings, if there is anybody else.
        constexpr double kUnknown = 1e6;
        const auto requests = static_cast<double>(target.requests);
        if (target.latency_seconds <= 0 && target.requests > 0) return kUnknown * (requests + 1) / target.weight;
        return target.latency_seconds * (requests + 1) / target.weight;
    }
};

}  // namespace

std::unique_ptr<BalancePolicy> internal::make_round_robin() {
    return std::make_unique<RoundRobin>();
}
std::unique_ptr<BalancePolicy> internal::make_least_requests() {
    return std::make_unique<Least<request_load>>();
}
std::unique_ptr<BalancePolicy> internal::make_least_tokens() {
    return std::make_unique<Least<token_load>>();
}
std::unique_ptr<BalancePolicy> internal::make_peak_ewma() {
    return std::make_unique<PeakEwma>();
}

}  // namespace stoker::gateway
