// What the aggregations share: series sorted into groups, once a query.
#pragma once

#include <vector>

#include "promql/evaluator.h"

namespace stoker::promql::internal {

struct Group {
    tsdb::Labels labels;
    std::vector<std::size_t> members;  // Columns of the input.
    bool drop_name = false;
};

tsdb::Labels group_labels(const Aggregate& node, const tsdb::Labels& labels);
std::vector<Group> groups_of(const Aggregate& node, const Frame& input);

// topk, bottomk, limitk, limit_ratio: the input's own series, with only the chosen points left.
Result<Frame> select_points(Context& context, const Expr& expr, const Aggregate& node, Frame input,
                            const std::vector<double>& params, const Steps& steps);
Result<Frame> count_values(Context& context, const Aggregate& node, const Frame& input, const Steps& steps);

// Says, or refuses, what is odd about a numeric parameter over all steps. Errors: Execution.
Result<Unit> check_parameter(Context& context, const Aggregate& node, const std::vector<double>& params);

}  // namespace stoker::promql::internal
