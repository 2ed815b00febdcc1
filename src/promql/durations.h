// Durations that are computed: [5m + step()], offset -(1h / 2).
//
// They depend only on the query's own step and range, so they become plain milliseconds before evaluation.
#pragma once

#include <string_view>

#include "base/result.h"
#include "promql/ast.h"

namespace stoker::promql {

// What step() and range() stand for within durations, in milliseconds; both are 0 for an instant query.
struct QueryTimes {
    std::int64_t step = 0;
    std::int64_t range = 0;
};

// Seconds. Errors: InvalidArgument (division by zero).
Result<double> evaluate_duration(std::string_view query, const DurationExpr& duration, QueryTimes times);

// Fills in the ranges, steps and offsets throughout the tree that were written as expressions. Errors: InvalidArgument,
// where the result is no positive duration, or too long.
Result<Unit> resolve_durations(std::string_view query, Expr& expr, QueryTimes times);

}  // namespace stoker::promql
