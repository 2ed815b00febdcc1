// Syntax trees as text: on one line as Prometheus writes a query, laid out over several as its formatter does, and as
// the JSON of /api/v1/parse_query.
#pragma once

#include <string>

#include "promql/ast.h"

namespace stoker::promql {

// One line, in the canonical order: modifiers before arguments, matchers sorted as they were written.
std::string to_text(const Expr& expr);

// Broken and indented where a line would be longer than 100 characters.
std::string pretty(const Expr& expr);

std::string tree_json(const Expr& expr);

std::string to_text(const DurationExpr& duration);
// "1h30m": what a duration in milliseconds is written as.
std::string duration_text(std::int64_t millis);

}  // namespace stoker::promql
