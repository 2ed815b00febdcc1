// One attempt's share of a replica's counters.
#include <utility>

#include "gateway/upstream/replica.h"

namespace stoker::gateway {

Turn::Turn(Replica& replica, bool stream, SteadyTime now, const LoadEstimate& estimate, bool trial)
    : replica_(replica), ticket_(replica.begin(now, estimate)) {
    end_.trial = trial;
    if (stream) move_to(Phase::Expecting);
}

Turn::~Turn() {
    (void)end(std::chrono::steady_clock::now());
}

std::optional<Replica::Change> Turn::end(SteadyTime now) {
    if (std::exchange(ended_, true)) return {};
    move_to(Phase::Whole);
    return replica_.end(end_, ticket_, now);
}

std::optional<Replica::Change> Turn::prove(SteadyTime now) {
    if (!std::exchange(end_.trial, false)) return {};
    return replica_.trial_flows(now);
}

void Turn::failed(std::string_view what, TurnEnd how) {
    end_.how = how;
    end_.what = what;
}

void Turn::good() {
    if (end_.how == TurnEnd::Unsaid) end_.how = TurnEnd::Good;
}

void Turn::move_to(Phase phase) {
    if (phase == phase_) return;
    if (phase_ == Phase::Expecting) replica_.add_expecting(-1);
    if (phase_ == Phase::Flowing) replica_.add_flowing(-1);
    if (phase == Phase::Expecting) replica_.add_expecting(1);
    if (phase == Phase::Flowing) replica_.add_flowing(1);
    phase_ = phase;
}

void Turn::pause() {
    if (phase_ == Phase::Flowing) move_to(Phase::Paused);
}

void Turn::resume(SteadyTime now) {
    if (phase_ != Phase::Paused) return;
    replica_.note_progress(now);
    move_to(Phase::Flowing);
}

}  // namespace stoker::gateway
