// Whether an engine's own counters of tokens move, as its metrics say: the watchdog's second witness, beside the bytes
// that come through this gateway. Pure; not thread-safe.
#pragma once

#include <optional>

#include "gateway/balance/engine_load.h"

namespace stoker::gateway {

class EngineProgress {
public:
    // REQUIRES: load.known().
    void note(const EngineLoad& load);
    // The engine is another one now.
    void forget() { *this = {}; }

    // How long the counters have stood still though the engine says that it has work, up to what was seen last; 0: they
    // moved. Empty: nothing recent is known.
    std::optional<Duration> still_for(SteadyTime now) const;

private:
    std::int64_t tokens_ = -1;
    SteadyTime moved_at_{};  // Or when it had nothing to do.
    SteadyTime seen_at_{};
};

}  // namespace stoker::gateway
