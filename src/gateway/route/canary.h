// A canary release: from a small share of the requests to all of them, or back to none, by how the candidate does
// against its control.
//
//   observe (1 %) -> observe (5 %) -> ... -> promoted (100 %)
//        \________________\___________> rolled_back (0 %)
//
// On each step both arms are judged by what they did since it began. Errors: a one-sided test of two proportions, that
// the candidate's share of failures exceeds the control's by more than max_error_increase (estimates with one success
// and one failure added to each, after Agresti and Caffo 2000, so that zero failures are no certainty). Latency: a
// confidence bound of each arm's 95th percentile by order statistics; the candidate is too slow if even its lower bound
// is above max_latency_ratio times the control's upper bound. Judging again and again finds differences that are not
// there, so a look is taken only when the candidate's sample has grown by half, and the k-th look of a step spends
// 6/(pi k)^2 of false_alarm: together never more than that.
//
// A pure state machine; not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "gateway/route/canary_sample.h"
#include "gateway/route/routing_options.h"

namespace stoker::gateway {

enum class CanaryPhase : std::uint8_t { Observing, Paused, Promoted, RolledBack };
std::string_view to_string(CanaryPhase phase);  // snake_case
std::optional<CanaryPhase> parse_canary_phase(std::string_view text);

// What must survive a restart.
struct CanaryState {
    CanaryPhase phase = CanaryPhase::Observing;
    std::size_t step = 0;  // Of options.steps.
    Timestamp since{};     // On this step, or in this phase.
    std::string reason{};  // Why it is where it is; empty at the beginning.
};

// How one arm did, as a judge saw it.
struct ArmView {
    std::int64_t good = 0;
    std::int64_t failed = 0;
    double first_token_p95 = 0;  // Seconds; 0: none were counted.
    double duration_p95 = 0;

    std::int64_t requests() const { return good + failed; }
};

enum class Finding : std::uint8_t { TooFew, Worse, Unclear, AsGood };

struct Judgement {
    Finding finding = Finding::TooFew;
    std::string reason;  // With its numbers.
};

// Compares the arms. `alarm`: the chance of a false alarm that this look may take.
Judgement judge(const CanaryOptions& options, const CanarySample& control, const CanarySample& candidate, double alarm);

ArmView view(const CanarySample& sample);

class Canary {
public:
    Canary(CanaryOptions options, CanaryState state) : options_(std::move(options)), state_(std::move(state)) {}

    // Looks at what the arms did. True: the state has changed, and what they did is to be counted from zero.
    bool tick(const CanarySample& control, const CanarySample& candidate, Timestamp now);

    // By hand. Errors: FailedPrecondition-like Conflict if it makes no sense now.
    Result<Unit> promote(const std::string& reason, Timestamp now);
    Result<Unit> roll_back(const std::string& reason, Timestamp now);
    Result<Unit> pause(const std::string& reason, Timestamp now);
    Result<Unit> resume(const std::string& reason, Timestamp now);
    void restart(const std::string& reason, Timestamp now);

    double candidate_percent() const;
    const CanaryState& state() const { return state_; }
    const CanaryOptions& options() const { return options_; }
    const Judgement& last_judgement() const { return judgement_; }

private:
    void go(CanaryPhase phase, std::size_t step, std::string reason, Timestamp now);

    CanaryOptions options_;
    CanaryState state_;
    Judgement judgement_;
    int looks_ = 0;
    std::int64_t next_look_ = 0;  // Requests of the candidate.
};

}  // namespace stoker::gateway
