#include "gateway/upstream/engine_progress.h"

namespace stoker::gateway {
namespace {

constexpr Duration kStale{30'000};  // Two scrapes at the usual interval: older counters are no witness.

}  // namespace

void EngineProgress::note(const EngineLoad& load) {
    if (load.tokens < 0) return;
    const bool idle = load.running + load.waiting <= 0;
    if (load.tokens != tokens_ || idle) moved_at_ = load.at;
    tokens_ = load.tokens;
    seen_at_ = load.at;
}

std::optional<Duration> EngineProgress::still_for(SteadyTime now) const {
    if (tokens_ < 0 || now - seen_at_ > kStale) return {};
    return std::chrono::duration_cast<Duration>(seen_at_ - moved_at_);
}

}  // namespace stoker::gateway
