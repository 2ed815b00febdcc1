// Tokens that engines computed for nothing, as far as a gateway can know it. Pure functions.
//
// What came and was given to nobody is counted, not estimated. Two things can only be estimated: what an engine had
// made of a whole answer when its client left (nothing of it was seen yet), and how much of a prompt it computed
// although it had been computed before. What an engine goes on to make after its connection was closed is seen in its
// own counters only (token_ledger.h).
#pragma once

#include <cstdint>

#include "gateway/balance/replica_load.h"
#include "wire/usage.h"

namespace stoker::gateway {

// Of an answer that was to come whole and was cancelled after `elapsed` seconds: the part of the expected answer that
// goes with the part of the replica's usual time. 0 while that time is unknown (`usual` is 0).
std::int64_t tokens_left_behind(const LoadEstimate& estimate, double elapsed, double usual);

// Prompt tokens that were in the cache of a replica of the pool, as balancing knew, and were computed all the same: it
// had to go to another replica, or the engine had dropped them. 0 where the engine does not tell what was cached, and
// for less than one block of the estimate.
std::int64_t recomputed_tokens(const LoadEstimate& estimate, const wire::Usage& usage);

}  // namespace stoker::gateway
