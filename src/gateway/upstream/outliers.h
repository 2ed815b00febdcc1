// Which replicas of a pool do much worse than the others, by what their requests met: failures, or slow first tokens.
//
// A replica is compared with the pool without it (its failures) and with the median of the others (its pace), so one
// bad one among two is seen too. It is an outlier by failures if its share is at least `failure_share` and
// `failure_ratio` times the others'; by latency if it takes `latency_ratio` times as long for the same prompts. At most
// `max_ejection` of the pool may be out at once for any reason, so that what all suffer from (a bad prompt, a slow
// network) can't empty it; one may always be. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gateway/options.h"

namespace stoker::gateway {

// One replica over the last interval.
struct OutlierFacts {
    bool serving = false;  // It takes requests now; others are not judged, and count as out.
    std::int64_t requests = 0;
    std::int64_t failures = 0;
    double log_pace = 0;     // Logarithm of seconds to a first token per token of prompt work; see ReplicaLoad::Pace.
    double pace_weight = 0;  // 0: unknown.
};

struct Outlier {
    std::size_t replica = 0;  // Index into the facts.
    std::string reason;
    std::vector<std::string> evidence;
};

// The worst first, as many as may go.
std::vector<Outlier> find_outliers(std::span<const OutlierFacts> pool, const OutlierOptions& options);

}  // namespace stoker::gateway
