// Expressions as sources of columns: those that work on each series for itself.
#include <algorithm>
#include <utility>

#include "promql/evaluator.h"
#include "promql/histogram_math.h"
#include "promql/rollup_windows.h"
#include "promql/sources.h"

namespace stoker::promql {

namespace {

// Whether all series of the selector have one name, so that dropping it makes no two of them the same.
bool one_name(const VectorSelector& selector) {
    return std::any_of(selector.matchers.begin(), selector.matchers.end(), [](const tsdb::Matcher& matcher) {
        return matcher.name == tsdb::kMetricName && matcher.op == tsdb::Matcher::Op::Equal && !matcher.value.empty();
    });
}

bool is_window_call(const Call& call) {
    const auto& apply = call.function->apply;
    return std::holds_alternative<WindowFunction>(apply) || std::holds_alternative<MixedWindowFunction>(apply);
}

const Expr& range_of(const Call& call) {
    const auto is_range = [](const ExprPtr& arg) { return arg->type == ValueType::RangeVector; };
    return unwrap(**std::find_if(call.args.begin(), call.args.end(), is_range));
}

// What the change `expr` works on; null if it is none.
const Expr* operand_of(const Expr& expr) {
    if (const auto* node = expr.as<Unary>()) return node->inner.get();
    if (const auto* node = expr.as<Call>()) {
        const auto& apply = node->function->apply;
        const bool change =
            std::holds_alternative<ValueFunction>(apply) || std::holds_alternative<HistogramFunction>(apply);
        return change ? node->args[0].get() : nullptr;
    }
    if (const auto* node = expr.as<Binary>()) {
        const bool left_scalar = node->left->type == ValueType::Scalar;
        const bool right_scalar = node->right->type == ValueType::Scalar;
        if (left_scalar != right_scalar) return left_scalar ? node->right.get() : node->left.get();
    }
    return nullptr;
}

// Whether the change takes the name away.
bool renames(const Expr& expr) {
    if (const auto* node = expr.as<Unary>()) return node->negative;
    if (const auto* node = expr.as<Binary>()) return is_arithmetic(node->op) || node->return_bool;
    return true;
}

void negate(Column& column) {
    for (std::size_t step = 0; step < column.values.size(); ++step) {
        if (const tsdb::HistogramPtr& histogram = histogram_at(column, step)) {
            auto negated = std::make_shared<tsdb::Histogram>(*histogram);
            multiply(*negated, -1);
            set_point(column, step, {0, std::move(negated)});
        } else if (present(column.values[step])) {
            column.values[step] = -column.values[step];
        }
    }
}

ColumnChange of_values(ValueFunction function, std::vector<std::vector<double>> args) {
    return [function, args = std::move(args)](Column& column) {
        std::vector<double> params(args.size());
        keep_numbers(column);
        for (std::size_t step = 0; step < column.values.size(); ++step) {
            if (!present(column.values[step])) continue;
            for (std::size_t i = 0; i < args.size(); ++i) params[i] = args[i][step];
            column.values[step] = function(column.values[step], params);
        }
    };
}

void of_histograms(HistogramFunction function, Column& column) {
    for (std::size_t step = 0; step < column.values.size(); ++step) {
        const tsdb::HistogramPtr& histogram = histogram_at(column, step);
        column.values[step] = histogram ? function(*histogram) : missing();
    }
    column.histograms.clear();
}

// The operator between each point and the number at its step.
class ScalarOperator {
public:
    ScalarOperator(Context& context, const Expr& expr, std::vector<double> numbers)
        : context_(context),
          node_(*expr.as<Binary>()),
          place_(expr.begin),
          number_left_(node_.left->type == ValueType::Scalar),
          numbers_(std::move(numbers)) {}

    void operator()(Column& column) const {
        for (std::size_t step = 0; step < column.values.size(); ++step) {
            if (!present(column.values[step])) continue;
            if (column.histograms.empty() && (is_arithmetic(node_.op) || is_comparison(node_.op))) {
                apply_to(column.values[step], numbers_[step]);
            } else {
                set_point(column, step, result(point_at(column, step), {numbers_[step], nullptr}));
            }
        }
    }

private:
    void apply_to(double& value, double number) const {
        const double left = number_left_ ? number : value;
        const double right = number_left_ ? value : number;
        if (is_arithmetic(node_.op)) {
            value = apply_operator(node_.op, left, right);
            return;
        }
        const bool holds = compare(node_.op, left, right);
        if (node_.return_bool) {
            value = holds ? 1 : 0;
        } else if (!holds) {
            value = missing();
        }
    }

    Point result(const Point& element, const Point& number) const {
        bool applies = true;
        Point result = number_left_ ? apply_operator(context_, node_, place_, number, element, applies)
                                    : apply_operator(context_, node_, place_, element, number, applies);
        if (!applies || !is_comparison(node_.op)) return result;
        // What passes a filter is the vector's element, whichever side it stands on.
        const bool holds = present(result.value);
        if (node_.return_bool) return {holds ? 1.0 : 0.0, nullptr};
        return holds ? element : Point{};
    }

    Context& context_;
    const Binary& node_;
    std::size_t place_;
    bool number_left_;
    std::vector<double> numbers_;
};

// Functions that know what to do with samples beyond the range. Errors: Execution for others.
Result<Unit> check_extension(const Function& function, Extension extension) {
    if (extension == Extension::None) return Unit{};
    const std::string name(function.name);
    const bool rates = name == "rate" || name == "increase" || name == "delta";
    if (extension == Extension::Anchored) {
        if (rates || name == "changes" || name == "resets") return Unit{};
        return execution_error(
            "anchored modifier can only be used with: changes, delta, increase, rate, resets - not with " + name);
    }
    if (rates) return Unit{};
    return execution_error("smoothed modifier can only be used with: delta, increase, rate - not with " + name);
}

}  // namespace

bool Evaluator::is_source(const Expr& expr) const {
    if (context_.name_removal() == NameRemoval::Delayed) return false;
    const Expr& inner = unwrap(expr);
    // Down to the selector; names that are dropped on the way must not have told series apart.
    bool drops_name = false;
    const Expr* at = &inner;
    while (const Expr* operand = operand_of(*at)) {
        drops_name = drops_name || renames(*at);
        at = &unwrap(*operand);
    }
    const auto* selector = at->as<VectorSelector>();
    if (const auto* call = at->as<Call>(); call != nullptr && is_window_call(*call)) {
        drops_name = drops_name || !call->function->keeps_name();
        const auto* matrix = range_of(*call).as<MatrixSelector>();
        if (matrix != nullptr) selector = matrix->vector->as<VectorSelector>();
    } else if (selector != nullptr && selector->extension != Extension::None) {
        return false;
    }
    return selector != nullptr && (!drops_name || one_name(*selector));
}

Result<std::unique_ptr<ColumnSource>> Evaluator::source(const Expr& expr) {
    const Expr& inner = unwrap(expr);
    if (const auto* node = inner.as<VectorSelector>()) return selector_columns(*node, Shows::Value);
    if (const auto* node = inner.as<Call>(); node != nullptr && is_window_call(*node)) return window_columns(*node);
    TRY(auto operand, source(*operand_of(inner)));
    TRY(ColumnChange change, change_of(inner));
    if (!change) return operand;
    return changed(std::move(operand), std::move(change), renames(inner));
}

Result<ColumnChange> Evaluator::change_of(const Expr& expr) {
    if (const auto* node = expr.as<Unary>()) return node->negative ? ColumnChange(negate) : ColumnChange();
    if (const auto* node = expr.as<Binary>()) {
        const bool number_left = node->left->type == ValueType::Scalar;
        TRY(std::vector<double> numbers, eval_scalar(number_left ? *node->left : *node->right));
        return ColumnChange(ScalarOperator(context_, expr, std::move(numbers)));
    }
    const auto& call = *expr.as<Call>();
    if (const auto* function = std::get_if<HistogramFunction>(&call.function->apply)) {
        return ColumnChange([apply = *function](Column& column) { of_histograms(apply, column); });
    }
    TRY(std::vector<std::vector<double>> args, scalar_args(call));
    return of_values(std::get<ValueFunction>(call.function->apply), std::move(args));
}

Result<Frame> Evaluator::eval_change(const Expr& expr) {
    TRY(Frame frame, eval(*operand_of(expr)));
    TRY(const ColumnChange change, change_of(expr));
    if (!change) return frame;
    for (Column& column : frame) {
        TRY_UNIT(context_.check());
        if (renames(expr)) drop_name(column, context_.name_removal());
        change(column);
    }
    return finish_function(context_, std::move(frame));
}

bool Evaluator::is_change(const Expr& expr) {
    return operand_of(expr) != nullptr;
}

ReadTimes Evaluator::read_times(const Shift& shift) const {
    ReadTimes times{steps_, shift.offset};
    if (shift.at) {
        times.fixed = true;
        times.fixed_at = shifted(shift, 0) + shift.offset;
    }
    return times;
}

Result<std::unique_ptr<ColumnSource>> Evaluator::selector_columns(const VectorSelector& selector, Shows shows) {
    const ReadTimes times = read_times(selector.shift);
    const std::int64_t lookback = context_.options().lookback.count();
    TRY(SeriesList found, context_.querier().select(selector.matchers, times.first() - lookback + 1, times.last(), 0));
    return selector_source(context_, std::move(found), times, shows, one_name(selector));
}

Result<std::unique_ptr<ColumnSource>> Evaluator::window_columns(const Call& call) {
    WindowCall window;
    window.function = call.function;
    window.place = unwrap(*call.args[0]).begin;
    TRY(window.args, scalar_args(call));
    const Expr& range = range_of(call);
    if (const auto* subquery = range.as<Subquery>()) {
        window.range = subquery->range;
        window.times = read_times(subquery->shift);
        TRY(SubqueryPoints points, subquery_points(*subquery));
        return window_source(context_, std::move(points.frame), points.steps, std::move(window));
    }
    const auto& matrix = *range.as<MatrixSelector>();
    const auto& selector = *matrix.vector->as<VectorSelector>();
    TRY_UNIT(check_extension(*call.function, selector.extension));
    window.range = matrix.range;
    window.times = read_times(selector.shift);
    window.extension = selector.extension;
    TRY(SeriesList found, series_of(matrix, RollupWindows::pays(window) ? Reads::Rollups : Reads::Samples));
    return window_source(context_, std::move(found), std::move(window), one_name(selector));
}

Result<Frame> Evaluator::eval_window(const Call& call) {
    TRY(const auto columns, window_columns(call));
    TRY(Frame frame, collect(context_, *columns, steps_.count));
    if (context_.name_removal() == NameRemoval::AtOnce) TRY_UNIT(require_distinct_labels(frame));
    return frame;
}

Result<Frame> Evaluator::eval_selector(const VectorSelector& selector, Shows shows) {
    TRY(const auto columns, selector_columns(selector, shows));
    return collect(context_, *columns, steps_.count);
}

}  // namespace stoker::promql
