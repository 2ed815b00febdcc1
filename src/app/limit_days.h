// Tokens used per day, over restarts: kept in the state store as documents of one collection, one a subject.
//
// Saved every second and when Stoker stops; a kill loses at most the last second. Blocks for a disk write, so not for
// event loops.
#pragma once

#include <vector>

#include "base/result.h"
#include "gateway/limit/limiter.h"
#include "state/state_store.h"

namespace stoker::app {

inline constexpr std::string_view kLimitDays = "limit_days";

// What was saved of the day of `now`.
Result<std::vector<gateway::DayUse>> load_limit_days(state::StateStore& store, Timestamp now);

// Replaces what these subjects had, and removes what is of days before. Nothing to do without days.
Result<Unit> save_limit_days(state::StateStore& store, const std::vector<gateway::DayUse>& days);

}  // namespace stoker::app
