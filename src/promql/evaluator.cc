#include "promql/evaluator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "promql/format.h"

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
    if (const auto* node = expr.as<VectorSelector>()) return eval_selector(*node, false);
    if (const auto* node = expr.as<Paren>()) return eval(*node->inner);
    if (const auto* node = expr.as<Unary>()) return eval_unary(*node);
    if (const auto* node = expr.as<Call>()) return eval_call(expr, *node);
    if (const auto* node = expr.as<Aggregate>()) return eval_aggregate(*node);
    if (const auto* node = expr.as<Binary>()) return eval_binary(*node);
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
        column.labels = without_name(column.labels);
        for (double& value : column.values) {
            if (present(value)) value = -value;
        }
    }
    TRY_UNIT(require_distinct_labels(frame));
    return frame;
}

Result<Frame> Evaluator::eval_call(const Expr& expr, const Call& call) {
    if (const auto* window = std::get_if<WindowFunction>(&call.function->apply)) return eval_window(call, *window);
    if (const auto* values = std::get_if<ValueFunction>(&call.function->apply)) return eval_values(call, *values);
    return std::get<FrameFunction>(call.function->apply)(*this, expr, call);
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
        column.labels = without_name(column.labels);
        for (std::size_t step = 0; step < steps_.count; ++step) {
            if (!present(column.values[step])) continue;
            for (std::size_t i = 0; i < args.size(); ++i) params[i] = args[i][step];
            column.values[step] = function(column.values[step], params);
        }
    }
    return join_same_labels(std::move(frame));
}

Result<Frame> Evaluator::eval_aggregate(const Aggregate& node) {
    std::vector<double> params;
    if (node.param && node.param->type == ValueType::Scalar) {
        TRY(params, eval_scalar(*node.param));
    }
    if (node.op == Aggregate::Op::Quantile) {
        for (const double q : params) {
            if (q >= 0 && q <= 1) continue;
            context_.warn("quantile value should be between 0 and 1, got " + format_float(q), node.param->begin);
            break;
        }
    }
    TRY(Frame input, eval(*node.inner));
    return aggregate_frame(context_, node, std::move(input), params, steps_);
}

Result<Frame> Evaluator::eval_binary(const Binary& node) {
    TRY(Frame left, eval(*node.left));
    TRY(Frame right, eval(*node.right));
    const bool left_scalar = node.left->type == ValueType::Scalar;
    const bool right_scalar = node.right->type == ValueType::Scalar;
    if (is_set_operator(node.op)) return set_operation(node, std::move(left), std::move(right));
    if (!left_scalar && !right_scalar) return match_vectors(context_, node, left, right);

    const std::vector<double> scalar = left_scalar ? left.at(0).values : right.at(0).values;
    Frame frame = left_scalar && !right_scalar ? std::move(right) : std::move(left);
    const bool both = left_scalar && right_scalar;
    for (Column& column : frame) {
        if (!is_comparison(node.op) || node.return_bool) column.labels = without_name(column.labels);
        for (std::size_t step = 0; step < steps_.count; ++step) {
            double& value = column.values[step];
            if (!present(value)) continue;
            const double a = left_scalar && !both ? scalar[step] : value;
            const double b = both ? right.at(0).values[step] : (left_scalar ? value : scalar[step]);
            if (!is_comparison(node.op)) {
                value = apply_operator(node.op, a, b);
            } else if (node.return_bool) {
                value = compare(node.op, a, b) ? 1 : 0;
            } else if (!compare(node.op, a, b)) {
                value = missing();
            }
        }
    }
    return join_same_labels(std::move(frame));
}

}  // namespace stoker::promql
