#include "collect/source_rounds.h"

#include <algorithm>
#include <utility>

namespace stoker::collect {

SourceRounds::Step SourceRounds::tick(SteadyTime now) {
    Step step;
    if (running_ && !hung_ && now >= started_ + schedule_.deadline) hung_ = step.hung = true;
    if (now < due_) return step;
    // More than one when this machine slept, or this process was stopped.
    const auto passed = static_cast<std::uint64_t>((now - due_) / schedule_.interval) + 1;
    due_ += schedule_.interval * passed;
    step.skipped = running_ ? passed : passed - 1;
    if (running_) return step;
    step.start = running_ = true;
    started_ = now;
    return step;
}

SteadyTime SourceRounds::next() const {
    return running_ && !hung_ ? std::min(due_, started_ + schedule_.deadline) : due_;
}

bool SourceRounds::ended() {
    running_ = false;
    return std::exchange(hung_, false);
}

}  // namespace stoker::collect
