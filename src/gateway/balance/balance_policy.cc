#include "gateway/balance/balance_policy.h"

#include <algorithm>
#include <array>

namespace stoker::gateway {
namespace {

constexpr std::array kKinds = {BalanceKind::Score,       BalanceKind::RoundRobin, BalanceKind::LeastRequests,
                               BalanceKind::LeastTokens, BalanceKind::PeakEwma,   BalanceKind::Session,
                               BalanceKind::BoundedHash, BalanceKind::Prefix};

constexpr std::array kReasons = {PickReason::Turn,    PickReason::LeastBusy, PickReason::Latency,
                                 PickReason::Session, PickReason::Prefix,    PickReason::Spill,
                                 PickReason::Score,   PickReason::ScoreSpill};

}  // namespace

std::string_view to_string(BalanceKind kind) {
    switch (kind) {
        case BalanceKind::Score:
            return "score";
        case BalanceKind::RoundRobin:
            return "round_robin";
        case BalanceKind::LeastRequests:
            return "least_requests";
        case BalanceKind::LeastTokens:
            return "least_tokens";
        case BalanceKind::PeakEwma:
            return "peak_ewma";
        case BalanceKind::Session:
            return "session";
        case BalanceKind::BoundedHash:
            return "bounded_hash";
        case BalanceKind::Prefix:
            return "prefix";
    }
    return "unknown";
}

std::span<const BalanceKind> all_balance_kinds() {
    return kKinds;
}

std::optional<BalanceKind> parse_balance_kind(std::string_view name) {
    for (const BalanceKind kind : kKinds) {
        if (to_string(kind) == name) return kind;
    }
    return {};
}

std::string_view to_string(PickReason reason) {
    switch (reason) {
        case PickReason::Turn:
            return "turn";
        case PickReason::LeastBusy:
            return "least_busy";
        case PickReason::Latency:
            return "latency";
        case PickReason::Session:
            return "session";
        case PickReason::Prefix:
            return "prefix";
        case PickReason::Spill:
            return "spill";
        case PickReason::Score:
            return "score";
        case PickReason::ScoreSpill:
            return "score_spill";
    }
    return "unknown";
}

std::span<const PickReason, kPickReasons> all_pick_reasons() {
    return kReasons;
}

std::unique_ptr<BalancePolicy> BalancePolicy::create(const BalanceOptions& options) {
    switch (options.kind) {
        case BalanceKind::RoundRobin:
            return internal::make_round_robin();
        case BalanceKind::LeastRequests:
            return internal::make_least_requests();
        case BalanceKind::LeastTokens:
            return internal::make_least_tokens();
        case BalanceKind::PeakEwma:
            return internal::make_peak_ewma();
        case BalanceKind::Session:
            return internal::make_session();
        case BalanceKind::BoundedHash:
            return internal::make_bounded_hash(options.load_factor);
        case BalanceKind::Prefix:
            return internal::make_prefix(options.load_factor, options.load_slack);
        case BalanceKind::Score:
            break;
    }
    return internal::make_score();
}

void BalancePolicy::score(std::span<const TargetView> /*targets*/, const PickFacts& /*facts*/,
                          std::span<double> scores) const {
    std::fill(scores.begin(), scores.end(), 0.0);
}

std::optional<std::size_t> internal::lowest(std::span<const TargetView> targets, std::span<const double> scores,
                                            std::uint64_t turn) {
    std::optional<std::size_t> best;
    for (std::size_t step = 0; step < targets.size(); ++step) {
        const std::size_t index = (turn + step) % targets.size();
        if (targets[index].eligible && (!best || scores[index] < scores[*best])) best = index;
    }
    return best;
}

}  // namespace stoker::gateway
