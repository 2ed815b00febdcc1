// The rules by which a pool's replicas are chosen, each a pure function of what is known of them at that moment.
//
// A policy keeps no state of its own: what changes from pick to pick (counters, averages, the table of cached prefixes)
// lives in ReplicaLoad and Balancer and comes in as values, so that a test is a table and the benchmark runs the very
// code that the gateway runs. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.h"
#include "gateway/balance/balance_options.h"
#include "gateway/balance/engine_load.h"
#include "gateway/balance/replica_load.h"

namespace stoker::gateway {

// What a policy may know of one replica.
struct TargetView {
    std::uint64_t key = 0;           // Stands for its id; the same in every process.
    bool eligible = true;            // Others are not chosen, but count as parts of the pool.
    double weight = 1;               // Share of its part that it should get, above 0 to 1.
    std::int64_t requests = 0;       // Under way, as this gateway counts.
    std::int64_t tokens = 0;         // Of these: prompts and expected answers.
    std::int64_t prompt_work = 0;    // Prompt tokens of these that are presumably not computed yet.
    std::int64_t prefix_tokens = 0;  // Of this request's prompt, presumably in the replica's cache.
    double latency_seconds = 0;      // Recent, for requests of this kind (streamed or not); 0: unknown.
    ReplicaLoad::Pace pace{};
    EngineLoad engine{};
    AdapterHeat adapter = AdapterHeat::Unknown;  // Of the adapter that is wanted.
    double fresh = 0;                            // How much `engine` and `adapter` count, 0 to 1.
};

// What it may know of the request and the pool.
struct PickFacts {
    std::uint64_t turn = 0;          // Another number at each pick: whose turn it is, and where dice come from.
    std::uint64_t session = 0;       // Stands for what keeps requests together; 0: nothing does.
    std::int64_t prompt_tokens = 0;  // Estimated.
    std::int64_t output_tokens = 0;  // Expected.
    double usual_prompt_tokens = 0;  // Of the pool's recent requests.
};

// Why a replica was chosen, for metrics and explanations.
enum class PickReason : std::uint8_t {
    Turn,       // It was its turn.
    LeastBusy,  // It has the least under way.
    Latency,    // The better of two.
    Session,    // Its session belongs here.
    Prefix,     // It has the longest part of the prompt cached.
    Spill,      // The favourite of the session or prefix was too busy.
    Score,      // The least expected work, and it has as much of the prompt cached as any.
    ScoreSpill  // The least expected work, though another has more of the prompt cached.
};
std::string_view to_string(PickReason reason);  // snake_case
inline constexpr std::size_t kPickReasons = 8;
std::span<const PickReason, kPickReasons> all_pick_reasons();

struct Choice {
    std::size_t target = 0;
    PickReason reason{};
};

class BalancePolicy {
public:
    static std::unique_ptr<BalancePolicy> create(const BalanceOptions& options);
    virtual ~BalancePolicy() = default;

    // The best eligible target; empty if none is eligible.
    virtual std::optional<Choice> pick(std::span<const TargetView> targets, const PickFacts& facts) const = 0;

    // What pick() compares, the lowest being the best; policies that compare nothing (turns) leave zeros.
    // REQUIRES: scores.size() == targets.size().
    virtual void score(std::span<const TargetView> targets, const PickFacts& facts, std::span<double> scores) const;

    // Whether TargetView::prefix_tokens is of use; looking it up costs the reading of the prompt.
    virtual bool wants_prefix() const { return false; }
};

namespace internal {

// The eligible target with the lowest score; among equals the next one from `turn` on, so that ties go round.
std::optional<std::size_t> lowest(std::span<const TargetView> targets, std::span<const double> scores,
                                  std::uint64_t turn);

std::unique_ptr<BalancePolicy> make_round_robin();
std::unique_ptr<BalancePolicy> make_least_requests();
std::unique_ptr<BalancePolicy> make_least_tokens();
std::unique_ptr<BalancePolicy> make_peak_ewma();
std::unique_ptr<BalancePolicy> make_session();
std::unique_ptr<BalancePolicy> make_bounded_hash(double load_factor);
std::unique_ptr<BalancePolicy> make_prefix(double load_factor, std::int64_t load_slack);
std::unique_ptr<BalancePolicy> make_score();

}  // namespace internal
}  // namespace stoker::gateway
