// Functions that need more than one value at a time: of labels, of whole vectors, of buckets, of the step itself.
#pragma once

#include "promql/functions.h"

namespace stoker::promql {

Result<Frame> fn_absent(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_absent_over_time(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_scalar(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_vector(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_time(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_pi(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_start(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_end(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_step(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_range(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_max_of(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_min_of(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_timestamp(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_start_timestamp(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_sort(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_sort_desc(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_sort_by_label(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_sort_by_label_desc(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_info(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_label_replace(Evaluator& evaluator, const Expr& expr, const Call& call);
Result<Frame> fn_label_join(Evaluator& evaluator, const Expr& expr, const Call& call);

// minute() and its like: of their argument, or of the step's own time if there is none.
template <ValueFunction Part>
Result<Frame> fn_date(Evaluator& evaluator, const Expr& expr, const Call& call);

}  // namespace stoker::promql
