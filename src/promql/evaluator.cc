#include "promql/evaluator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "promql/aggregate.h"
#include "promql/histogram_math.h"

namespace stoker::promql {

namespace {

Frame constant(double value, std::size_t count) {
    Frame frame(1);
    frame[0].values.assign(count, value);
    return frame;
}

}  // namespace

std::int64_t Evaluator::shifted(const Shift& shift, std::size_t step) const {
    std::int64_t base = steps_.at(step);
    if (shift.at) {
        switch (shift.at->kind) {
            case AtModifier::Kind::Time:
                base = shift.at->millis;
                break;
            case AtModifier::Kind::Start:
                base = context_.start();
                break;
            case AtModifier::Kind::End:
                base = context_.end();
                break;
        }
    }
    return base - shift.offset;
}

Result<Frame> Evaluator::eval(const Expr& expr) {
    TRY_UNIT(context_.check());
    if (const auto* node = expr.as<NumberLiteral>()) return constant(node->value, steps_.count);
    if (const auto* node = expr.as<VectorSelector>()) {
        return node->extension == Extension::Smoothed ? eval_smoothed(expr) : eval_selector(*node, false);
    }
    if (const auto* node = expr.as<Paren>()) return eval(*node->inner);
    if (const auto* node = expr.as<Unary>()) return eval_unary(*node);
    if (const auto* node = expr.as<Call>()) return eval_call(expr, *node);
    if (const auto* node = expr.as<Aggregate>()) return eval_aggregate(expr, *node);
    if (const auto* node = expr.as<Binary>()) return eval_binary(expr, *node);
    return Error{Errc::Internal, "an expression of this type has no value at a step"};
}

Result<std::vector<double>> Evaluator::eval_scalar(const Expr& expr) {
    TRY(Frame frame, eval(expr));
    return std::move(frame.at(0).values);
}

Result<Frame> Evaluator::eval_unary(const Unary& unary) {
    TRY(Frame frame, eval(*unary.inner));
    if (!unary.negative) return frame;
    for (Column& column : frame) {
        drop_name(column, context_.name_removal());
        for (std::size_t step = 0; step < steps_.count; ++step) {
            if (const tsdb::HistogramPtr& histogram = histogram_at(column, step)) {
                auto negated = std::make_shared<tsdb::Histogram>(*histogram);
                multiply(*negated, -1);
                set_point(column, step, {0, std::move(negated)});
            } else if (present(column.values[step])) {
                column.values[step] = -column.values[step];
            }
        }
    }
    return join_same_labels(std::move(frame));
}

Result<Frame> Evaluator::eval_call(const Expr& expr, const Call& call) {
    const auto& apply = call.function->apply;
    if (const auto* values = std::get_if<ValueFunction>(&apply)) return eval_values(call, *values);
    if (const auto* histograms = std::get_if<HistogramFunction>(&apply)) return eval_histograms(call, *histograms);
    if (const auto* frame = std::get_if<FrameFunction>(&apply)) return (*frame)(*this, expr, call);
    return eval_window(call);
}

Result<std::vector<std::vector<double>>> Evaluator::scalar_args(const Call& call) {
    std::vector<std::vector<double>> all;
    for (const ExprPtr& arg : call.args) {
        if (arg->type != ValueType::Scalar) continue;
        TRY(std::vector<double> values, eval_scalar(*arg));
        all.push_back(std::move(values));
    }
    const std::vector<double>& defaults = call.function->defaults;
    for (std::size_t i = all.size(); i < defaults.size(); ++i) all.emplace_back(steps_.count, defaults[i]);
    return all;
}

Result<Frame> Evaluator::eval_values(const Call& call, ValueFunction function) {
    TRY(Frame frame, eval(*call.args[0]));
    TRY(const std::vector<std::vector<double>> args, scalar_args(call));
    std::vector<double> params(args.size());
    for (Column& column : frame) {
        TRY_UNIT(context_.check());
        drop_name(column, context_.name_removal());
        keep_numbers(column);
        for (std::size_t step = 0; step < steps_.count; ++step) {
            if (!present(column.values[step])) continue;
            for (std::size_t i = 0; i < args.size(); ++i) params[i] = args[i][step];
            column.values[step] = function(column.values[step], params);
        }
    }
    return finish_function(context_, std::move(frame));
}

Result<Frame> Evaluator::eval_histograms(const Call& call, HistogramFunction function) {
    TRY(Frame frame, eval(*call.args[0]));
    for (Column& column : frame) {
        TRY_UNIT(context_.check());
        drop_name(column, context_.name_removal());
        for (std::size_t step = 0; step < steps_.count; ++step) {
            const tsdb::HistogramPtr& histogram = histogram_at(column, step);
            column.values[step] = histogram ? function(*histogram) : missing();
        }
        column.histograms.clear();
    }
    return finish_function(context_, std::move(frame));
}

Result<Frame> Evaluator::eval_aggregate(const Expr& expr, const Aggregate& node) {
    std::vector<double> params;
    if (node.param && node.param->type == ValueType::Scalar) {
        TRY(params, eval_scalar(*node.param));
    }
    if (!params.empty()) TRY_UNIT(internal::check_parameter(context_, node, params));
    TRY(Frame input, eval(*node.inner));
    return aggregate_frame(context_, expr, node, std::move(input), params, steps_);
}

// Columns that came to have the same labels take turns; where they are still to lose their names that is looked at in
// the end.
Result<Frame> finish_function(const Context& context, Frame frame) {
    if (context.name_removal() == NameRemoval::Delayed) return frame;
    return join_same_labels(std::move(frame));
}

Result<Frame> Evaluator::eval_binary(const Expr& expr, const Binary& node) {
    TRY(Frame left, eval(*node.left));
    TRY(Frame right, eval(*node.right));
    const bool left_scalar = node.left->type == ValueType::Scalar;
    const bool right_scalar = node.right->type == ValueType::Scalar;
    if (is_set_operator(node.op)) return set_operation(node, std::move(left), std::move(right));
    if (!left_scalar && !right_scalar) return match_vectors(context_, expr, node, left, right);
    if (left_scalar && right_scalar) {
        std::vector<double>& values = left.at(0).values;
        for (std::size_t step = 0; step < steps_.count; ++step) {
            const double a = values[step];
            const double b = right.at(0).values[step];
            if (is_comparison(node.op)) {
                values[step] = compare(node.op, a, b) ? 1 : 0;
            } else {
                values[step] = apply_operator(node.op, a, b);
            }
        }
        return left;
    }

    const std::vector<double> scalar = left_scalar ? std::move(left.at(0).values) : std::move(right.at(0).values);
    Frame frame = left_scalar ? std::move(right) : std::move(left);
    const bool keeps_name = !is_arithmetic(node.op) && !node.return_bool;
    for (Column& column : frame) {
        TRY_UNIT(context_.check());
        if (!keeps_name) drop_name(column, context_.name_removal());
        for (std::size_t step = 0; step < steps_.count; ++step) {
            if (!present(column.values[step])) continue;
            const Point element = point_at(column, step);
            const Point number{scalar[step], nullptr};
            bool applies = true;
            Point result = left_scalar ? apply_operator(context_, node, expr.begin, number, element, applies)
                                       : apply_operator(context_, node, expr.begin, element, number, applies);
            if (applies && is_comparison(node.op)) {
                // What passes a filter is the vector's element, whichever side it stands on.
                const bool holds = present(result.value);
                result = node.return_bool ? Point{holds ? 1.0 : 0.0, nullptr} : (holds ? element : Point{});
            }
            set_point(column, step, std::move(result));
        }
    }
    return finish_function(context_, std::move(frame));
}

}  // namespace stoker::promql
