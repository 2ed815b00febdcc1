#include "promql/evaluator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "promql/aggregate.h"
#include "promql/stream_fold.h"

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
    if (const auto* node = expr.as<Paren>()) return eval(*node->inner);
    if (steps_.count > 1 && is_step_invariant(expr)) return eval_once(expr);
    if (is_source(expr)) {
        TRY(const auto columns, source(expr));
        return collect(context_, *columns, steps_.count);
    }
    if (const auto* node = expr.as<VectorSelector>()) {
        return node->extension == Extension::Smoothed ? eval_smoothed(expr) : eval_selector(*node, Shows::Value);
    }
    if (is_change(expr)) return eval_change(expr);
    if (const auto* node = expr.as<Call>()) {
        if (const auto* frame = std::get_if<FrameFunction>(&node->function->apply)) return (*frame)(*this, expr, *node);
        return eval_window(*node);
    }
    if (const auto* node = expr.as<Aggregate>()) return eval_aggregate(expr, *node);
    if (const auto* node = expr.as<Binary>()) return eval_binary(expr, *node);
    return Error{Errc::Internal, "an expression of this type has no value at a step"};
}

Result<Frame> Evaluator::eval_once(const Expr& expr) {
    TRY(Frame frame, Evaluator(context_, {steps_.start, steps_.interval, 1}).eval(expr));
    TRY_UNIT(context_.charge(frame.size() * (steps_.count - 1)));
    for (Column& column : frame) {
        column.values.resize(steps_.count, column.values[0]);
        if (!column.histograms.empty()) column.histograms.resize(steps_.count, column.histograms[0]);
    }
    return frame;
}

Result<std::vector<double>> Evaluator::eval_scalar(const Expr& expr) {
    TRY(Frame frame, eval(expr));
    return std::move(frame.at(0).values);
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

Result<Frame> Evaluator::eval_aggregate(const Expr& expr, const Aggregate& node) {
    std::vector<double> params;
    if (node.param && node.param->type == ValueType::Scalar) {
        TRY(params, eval_scalar(*node.param));
    }
    if (!params.empty()) TRY_UNIT(internal::check_parameter(context_, node, params));
    if (can_fold_stream(node) && is_source(*node.inner)) {
        TRY(const auto columns, source(*node.inner));
        TRY(std::optional<Frame> folded, fold_stream(context_, node, *columns, steps_));
        if (folded) return *std::move(folded);
    }
    TRY(Frame input, eval(*node.inner));
    const std::uint64_t held = input.size() * steps_.count;
    TRY(Frame result, aggregate_frame(context_, expr, node, std::move(input), params, steps_));
    context_.discharge(held);
    return result;
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
    if (is_set_operator(node.op)) return set_operation(node, std::move(left), std::move(right));
    if (node.left->type != ValueType::Scalar) {
        TRY(Frame result, match_vectors(context_, expr, node, left, right));
        context_.discharge((left.size() + right.size()) * steps_.count);
        return result;
    }
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

}  // namespace stoker::promql
