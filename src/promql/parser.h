// Query text to a checked syntax tree: precedence climbing over the lexer's tokens, then the types.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "promql/ast.h"

namespace stoker::promql {

// Trees deeper than this are refused, so that recursion over them is safe.
inline constexpr int kMaxDepth = 400;

// What Prometheus has behind feature flags is refused unless allowed.
enum class Features : std::uint8_t { Stable, Experimental };

// Errors: InvalidArgument, "line:column: parse error: ...".
Result<ExprPtr> parse(std::string_view query, Features features = Features::Stable);

// A series selector alone, with no modifiers. Errors: InvalidArgument.
Result<VectorSelector> parse_vector_selector(std::string_view text);

namespace internal {

// Checks the types of operands and arguments throughout the tree. Errors: InvalidArgument.
Result<Unit> check_types(std::string_view query, Expr& expr);

}  // namespace internal

}  // namespace stoker::promql
