// Policies that keep a session together: plain and bounded-load consistent hashing.
//
// Both use rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998): each
// key orders the replicas by a hash of both. Like a ring it moves only the keys of a replica that goes, 1/n of them;
// unlike a ring it needs no memory, is even without virtual nodes, and hands the keys of one that goes or is full to
// all others alike instead of to its neighbour.
#include <cmath>

#include "gateway/balance/balance_policy.h"
#include "gateway/balance/balance_scratch.h"

namespace stoker::gateway {
namespace {

// How much a session wants a target.
std::uint64_t affinity(const TargetView& target, std::uint64_t session) {
    return internal::scramble(target.key ^ internal::scramble(session));
}

// The most wanted eligible target among those that `allowed` holds for.
template <typename Allowed>
std::optional<std::size_t> favourite(std::span<const TargetView> targets, std::uint64_t session, Allowed allowed) {
    std::optional<std::size_t> best;
    std::uint64_t most = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (!targets[i].eligible || !allowed(targets[i])) continue;
        const std::uint64_t wanted = affinity(targets[i], session);
        if (best && wanted <= most) continue;
        best = i;
        most = wanted;
    }
    return best;
}

bool any(const TargetView& /*target*/) {
    return true;
}

class Session : public BalancePolicy {
public:
    std::optional<Choice> pick(std::span<const TargetView> targets, const PickFacts& facts) const override {
        if (facts.session == 0) return others_->pick(targets, facts);
        const auto best = favourite(targets, facts.session, any);
        if (!best) return {};
        return Choice{*best, PickReason::Session};
    }

    // From 0, the most wanted, to 1.
    void score(std::span<const TargetView> targets, const PickFacts& facts, std::span<double> scores) const override {
        if (facts.session == 0) return others_->score(targets, facts, scores);
        for (std::size_t i = 0; i < targets.size(); ++i) {
            scores[i] = 1 - static_cast<double>(affinity(targets[i], facts.session)) * 0x1p-64;
        }
    }

private:
    const std::unique_ptr<BalancePolicy> others_ = internal::make_least_requests();
};

// Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads" (2018): no replica has more than
// ceil(factor * its share of all requests under way, this one included). A key whose replica is full goes to the next
// one in its order, and comes back as soon as there is room.
class BoundedHash : public BalancePolicy {
public:
    explicit BoundedHash(double load_factor) : load_factor_(load_factor) {}

    std::optional<Choice> pick(std::span<const TargetView> targets, const PickFacts& facts) const override {
        if (facts.session == 0) return others_->pick(targets, facts);
        double requests = 1;
        double weights = 0;
        for (const TargetView& target : targets) {
            if (!target.eligible) continue;
            requests += static_cast<double>(target.requests);
            weights += target.weight;
        }
        const double per_weight = load_factor_ * requests / weights;
        const auto wanted = favourite(targets, facts.session, any);
        if (!wanted) return {};
        const auto chosen = favourite(targets, facts.session, [per_weight](const TargetView& target) {
            return static_cast<double>(target.requests) < std::ceil(per_weight * target.weight);
        });
        // With a factor of 1 or more somebody always has room.
        const std::size_t best = chosen.value_or(*wanted);
        return Choice{best, best == *wanted ? PickReason::Session : PickReason::Spill};
    }

    void score(std::span<const TargetView> targets, const PickFacts& facts, std::span<double> scores) const override {
        if (facts.session == 0) return others_->score(targets, facts, scores);
        for (std::size_t i = 0; i < targets.size(); ++i) {
            scores[i] = 1 - static_cast<double>(affinity(targets[i], facts.session)) * 0x1p-64;
        }
    }

private:
    const double load_factor_;
    const std::unique_ptr<BalancePolicy> others_ = internal::make_least_requests();
};

}  // namespace

std::unique_ptr<BalancePolicy> internal::make_session() {
    return std::make_unique<Session>();
}
std::unique_ptr<BalancePolicy> internal::make_bounded_hash(double load_factor) {
    return std::make_unique<BoundedHash>(load_factor);
}

}  // namespace stoker::gateway
