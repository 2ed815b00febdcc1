// Evaluates a checked tree over a row of steps, bottom up, one Frame per node.
//
// Each series is read once, in one pass over its samples, whatever the number of steps; what an aggregation takes in is
// not kept (column_source.h). Subqueries are evaluated by a nested Evaluator over steps of their own, with the same
// Context. Used by one thread, which shares the work on series out to the context's workers.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "promql/ast.h"
#include "promql/column_source.h"
#include "promql/context.h"
#include "promql/frame.h"
#include "promql/functions.h"
#include "promql/sources.h"

namespace stoker::promql {

// The samples that a matrix selector or a subquery yields, one series after the other.
struct RangeArgument {
    std::int64_t range = 0;
    Shift shift;
    std::size_t begin = 0;  // Place in the query, for messages.
    std::size_t series = 0;
    std::function<const tsdb::Labels&(std::size_t)> labels;
    Extension extension = Extension::None;
    // Fills `out` with the samples of series `index`, without staleness markers.
    std::function<Result<Unit>(std::size_t index, RangeSamples& out)> load;
};

// What a subquery's inner expression gave at its steps.
struct SubqueryPoints {
    Frame frame;
    Steps steps;
};

class Evaluator {
public:
    Evaluator(Context& context, Steps steps) : context_(context), steps_(steps) {}

    // REQUIRES: expr.type is Scalar or InstantVector.
    Result<Frame> eval(const Expr& expr);

    // One value a step. REQUIRES: expr.type is Scalar.
    Result<std::vector<double>> eval_scalar(const Expr& expr);

    // REQUIRES: expr is a MatrixSelector or Subquery, perhaps in parentheses.
    Result<RangeArgument> range_argument(const Expr& expr);

    // Like eval of a selector, but with something else of the samples than their values.
    Result<Frame> eval_selector(const VectorSelector& selector, Shows shows);

    Context& context() { return context_; }
    const Steps& steps() const { return steps_; }

    // The time at which something under `shift` is read at `step`.
    std::int64_t shifted(const Shift& shift, std::size_t step) const;

private:
    Result<Frame> eval_once(const Expr& expr);      // An expression that is the same at every step.
    Result<Frame> eval_smoothed(const Expr& expr);  // A VectorSelector, in smoothed_selector.cc.
    Result<Frame> eval_window(const Call& call);
    Result<Frame> eval_change(const Expr& expr);  // REQUIRES: is_change().
    Result<Frame> eval_aggregate(const Expr& expr, const Aggregate& aggregate);
    Result<Frame> eval_binary(const Expr& expr, const Binary& binary);
    // What will mostly be read of the series.
    enum class Reads : std::uint8_t { Samples, Rollups };
    Result<SeriesList> series_of(const MatrixSelector& matrix, Reads reads = Reads::Samples);
    Result<SubqueryPoints> subquery_points(const Subquery& subquery);
    ReadTimes read_times(const Shift& shift) const;

    // Whether the expression works on each series for itself, and no two of its columns get the same labels.
    bool is_source(const Expr& expr) const;
    // REQUIRES: is_source().
    Result<std::unique_ptr<ColumnSource>> source(const Expr& expr);
    Result<std::unique_ptr<ColumnSource>> selector_columns(const VectorSelector& selector, Shows shows);
    Result<std::unique_ptr<ColumnSource>> window_columns(const Call& call);

    // -x, abs(x), x > 5: what changes each point for itself.
    static bool is_change(const Expr& expr);
    Result<ColumnChange> change_of(const Expr& expr);  // Empty: there is nothing to do.
    Result<std::vector<std::vector<double>>> scalar_args(const Call& call);

    Context& context_;
    Steps steps_;
};

// step_invariant.cc: whether the expression has the same value at every step, whatever the steps.
bool is_step_invariant(const Expr& expr);

// What functions of instant vectors end with: columns that lost their names may have come to have the same labels.
Result<Frame> finish_function(const Context& context, Frame frame);

// aggregate.cc: folds `input` by `node`; `params` are the parameter's values by step, if it is a number.
Result<Frame> aggregate_frame(Context& context, const Expr& expr, const Aggregate& node, Frame input,
                              const std::vector<double>& params, const Steps& steps);

// operators.cc: one operator between two points. Nothing, where it does not apply or a comparison does not hold.
double apply_operator(BinaryOp op, double left, double right);
bool compare(BinaryOp op, double left, double right);
Point apply_operator(Context& context, const Binary& node, std::size_t place, const Point& left, const Point& right,
                     bool& applies);

// binary.cc: operators between vectors, and set operators.
Result<Frame> match_vectors(Context& context, const Expr& expr, const Binary& node, const Frame& left,
                            const Frame& right);
Result<Frame> set_operation(const Binary& node, Frame left, Frame right);

}  // namespace stoker::promql
