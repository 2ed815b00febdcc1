// Signals as values: blocked in every thread, waited for by main alone.
#pragma once

#include <csignal>
#include <optional>

#include "base/time.h"

namespace stoker::app {

class Signals {
public:
    // Blocks TERM, INT and HUP, and ignores PIPE. REQUIRES: made before any thread is.
    Signals();

    // The next of them, or nothing after `limit`.
    std::optional<int> wait(Duration limit);

    // Until TERM or INT; HUP means nothing here.
    void wait_for_end();

private:
    sigset_t set_;
};

}  // namespace stoker::app
