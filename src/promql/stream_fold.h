// Aggregations over a ColumnSource: each column is folded into its group as it is made, and let go.
#pragma once

#include <optional>
#include <vector>

#include "promql/ast.h"
#include "promql/column_source.h"

namespace stoker::promql {

// Whether fold_stream() can do it.
bool can_fold_stream(const Aggregate& node);

// The same as aggregate_frame() of the collected columns, bit for bit. Nothing if histograms came up, which only
// aggregate_frame() knows. REQUIRES: can_fold_stream(); names are dropped at once.
Result<std::optional<Frame>> fold_stream(Context& context, const Aggregate& node, const ColumnSource& source,
                                         const Steps& steps);

}  // namespace stoker::promql
