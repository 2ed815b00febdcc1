// A pool of simulated engines behind one balancer, in virtual time: what the gateway does with a request, without HTTP.
//
// The balancer, its policies and the accounting of load are the gateway's own; the engines are the scheduler and KV
// cache of src/twin. What an engine says of itself reaches the balancer every five seconds, as in the gateway.
#pragma once

#include <cstdint>
#include <vector>

#include "gateway/balance/balance_options.h"
#include "load.h"
#include "twin/profile.h"

namespace stoker::bench_balance {

struct PoolOptions {
    twin::Profile profile;
    std::size_t engines = 8;
    double slowdown = 1;  // Of the last engine.
    Nanos warm_up{0};     // Requests that come before it are not in the results.
};

struct Outcome {
    std::vector<double> first_tokens;  // Seconds, of each request.
    double output_tokens = 0;          // While the load lasted, and how long that was in seconds.
    double length = 0;
    std::uint64_t prefix_queries = 0;  // Prompt tokens, and those that an engine found in its cache.
    std::uint64_t prefix_hits = 0;
    std::uint64_t preemptions = 0;
    double imbalance = 0;  // The largest of any minute: tokens computed by the busiest engine over the mean.

    void add(const Outcome& other);
    double first_token(double quantile) const;  // REQUIRES: first_tokens is sorted.
    double throughput() const { return length > 0 ? output_tokens / length : 0; }
    double hit_rate() const;
};

// Plays the load to its end and on until everything that began has ended.
Outcome replay(const Load& load, const PoolOptions& pool, const gateway::BalanceOptions& balance);

}  // namespace stoker::bench_balance
