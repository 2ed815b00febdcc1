// How many retries, or hedges, a pool's requests may cost together: a share of the requests of late, and a few more for
// pools with little to do. When an engine fails for everybody, retries would else multiply the load on what is left of
// it.
//
// Counted in a ring of one-second slots, so that each request costs one atomic addition. Two threads that meet at the
// change of a second may lose a count; a budget can bear that. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/time.h"
#include "gateway/options.h"

namespace stoker::gateway {

class RetryBudget {
public:
    static constexpr int kWindowSeconds = 10;

    void set(double share, double per_second);

    // A request has come.
    void note_request(SteadyTime now);
    // Takes one retry out of the budget; false: there is none left.
    bool take(SteadyTime now);

    struct Use {
        std::int64_t requests = 0;
        std::int64_t retries = 0;
        double allowed = 0;
    };
    Use use(SteadyTime now) const;

private:
    struct Slot {
        std::atomic<std::int64_t> second{-1};
        std::atomic<std::int64_t> requests{0};
        std::atomic<std::int64_t> retries{0};
    };
    Slot& slot(SteadyTime now);

    std::array<Slot, kWindowSeconds> slots_;
    std::atomic<double> share_{RetryOptions{}.budget_share};
    std::atomic<double> per_second_{RetryOptions{}.budget_per_second};
};

}  // namespace stoker::gateway
