// A second attempt beside one that is slow to begin, on another replica: the first that answers is the client's.
//
// Hedging trades some work done twice for a shorter tail (Dean and Barroso, "The Tail at Scale", 2013). It is bounded:
// one hedge for a request, a share of all requests for a pool, and only to a replica that serves and does not rest. The
// attempt that loses is ended at once; nothing is held against its replica, and what it had done counts as wasted.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <optional>

#include "gateway/route/canary_sample.h"
#include "gateway/upstream/attempt.h"
#include "gateway/upstream/retry_budget.h"

namespace stoker::gateway {

class Journey;

// How long a pool's clients waited for their first tokens in the last one to two minutes. Thread-safe: adding costs an
// atomic increment or two; at the change of a minute some are lost.
class FirstTokenTimes {
public:
    static constexpr std::int64_t kLeast = 50;  // Samples, to speak of a share of them.

    void add(Duration took, SteadyTime now);
    // By when this share of them had come, as it was at most a second ago; empty while there are too few.
    std::optional<Duration> percentile(double share, SteadyTime now);

private:
    TimeBuckets& current(SteadyTime now);

    std::array<TimeBuckets, 2> minutes_{};  // This one and the one before, by turns.
    std::atomic<std::int64_t> minute_{0};
    std::atomic<std::int64_t> looked_at_{0};  // A second on the steady clock.
    std::atomic<std::int64_t> found_ms_{0};   // 0: too few.
};

// What a pool keeps for it, over reloads. Thread-safe.
struct Hedging {
    RetryBudget budget;
    FirstTokenTimes streams;
    FirstTokenTimes wholes;
};

// Whether a second attempt may be made for this request, which nothing was sent for yet: where its pool hedges and has
// another replica, for chats, completions, embeddings and messages. An upload can go to one replica only, and a stored
// response (/v1/responses) would be stored twice.
bool may_hedge(const RequestContext& context, const StreamProgress& progress);

// Attempts on `first`, and on another one beside it if no first byte for the client comes in time. The result is that
// of the attempt that answered; if none did, one of theirs, and the journey knows of the other.
// REQUIRES: may_hedge(); context.upstream_body is for `first`.
boost::asio::awaitable<AttemptResult> run_hedged(RequestContext& context, Journey& journey, std::size_t first,
                                                 StreamProgress& progress);

}  // namespace stoker::gateway
