// One binary operator between two values, numbers or histograms. What does not apply to them is left out with an info.
#include <cmath>
#include <memory>

#include "promql/evaluator.h"
#include "promql/format.h"
#include "promql/histogram_math.h"
#include "promql/parser_state.h"

namespace stoker::promql {

namespace {

using SharedHistogram = std::shared_ptr<tsdb::Histogram>;

SharedHistogram copy_of(const tsdb::HistogramPtr& histogram) {
    return std::make_shared<tsdb::Histogram>(*histogram);
}

Point finished(SharedHistogram histogram) {
    compact(*histogram);
    return {tsdb::histogram_marker(), std::move(histogram)};
}

Point histogram_with_number(const Binary& node, const tsdb::HistogramPtr& left, double right, bool& fits) {
    SharedHistogram result = copy_of(left);
    switch (node.op) {
        case BinaryOp::Mul:
            multiply(*result, right);
            return finished(std::move(result));
        case BinaryOp::Div:
            divide(*result, right);
            return finished(std::move(result));
        case BinaryOp::TrimUpper:
        case BinaryOp::TrimLower:
            *result = trimmed(*left, right, node.op == BinaryOp::TrimUpper ? Keep::Below : Keep::Above);
            return {tsdb::histogram_marker(), std::move(result)};
        default:
            fits = false;
            return {};
    }
}

Point histogram_with_histogram(Context& context, const Binary& node, std::size_t place, const Point& left,
                               const Point& right, bool& fits, bool& applies) {
    switch (node.op) {
        case BinaryOp::Add:
        case BinaryOp::Sub: {
            const bool adds = node.op == BinaryOp::Add;
            SharedHistogram result = copy_of(left.histogram);
            const Combination combined =
                adds ? add_to(*result, *right.histogram) : subtract_from(*result, *right.histogram);
            const std::string_view operation = adds ? "addition" : "subtraction";
            if (combined.incompatible) {
                context.warn(
                    "incompatible bucket layout encountered for binary operator " + std::string(to_string(node.op)),
                    place);
                applies = false;
                return {};
            }
            if (combined.hints_collide) {
                context.warn(notes::hints_collide(operation), place);
                applies = false;
                return {};
            }
            if (combined.bounds_reconciled) context.inform(notes::bounds_reconciled(operation), place);
            if (!adds) result->reset_hint = tsdb::Histogram::ResetHint::Gauge;
            return finished(std::move(result));
        }
        case BinaryOp::Equal:
            return same_data(*left.histogram, *right.histogram) ? left : Point{};
        case BinaryOp::NotEqual:
            return same_data(*left.histogram, *right.histogram) ? Point{} : left;
        default:
            fits = false;
            return {};
    }
}

Point number_with_number(const Binary& node, double left, double right, bool& fits) {
    if (is_comparison(node.op)) return compare(node.op, left, right) ? Point{left, nullptr} : Point{};
    if (is_arithmetic(node.op)) return {apply_operator(node.op, left, right), nullptr};
    fits = false;
    return {};
}

}  // namespace

double apply_operator(BinaryOp op, double left, double right) {
    switch (op) {
        case BinaryOp::Add:
            return left + right;
        case BinaryOp::Sub:
            return left - right;
        case BinaryOp::Mul:
            return left * right;
        case BinaryOp::Div:
            return left / right;
        case BinaryOp::Mod:
            return std::fmod(left, right);
        case BinaryOp::Pow:
            return std::pow(left, right);
        default:
            return std::atan2(left, right);
    }
}

bool compare(BinaryOp op, double left, double right) {
    switch (op) {
        case BinaryOp::Equal:
            return left == right;
        case BinaryOp::NotEqual:
            return left != right;
        case BinaryOp::Less:
            return left < right;
        case BinaryOp::LessEqual:
            return left <= right;
        case BinaryOp::Greater:
            return left > right;
        default:
            return left >= right;
    }
}

Point apply_operator(Context& context, const Binary& node, std::size_t place, const Point& left, const Point& right,
                     bool& applies) {
    applies = true;
    Point result;
    bool fits = true;  // The types, as against the two histograms.
    if (left.histogram && right.histogram) {
        result = histogram_with_histogram(context, node, place, left, right, fits, applies);
    } else if (left.histogram) {
        result = histogram_with_number(node, left.histogram, right.value, fits);
    } else if (right.histogram) {
        // Only as a factor.
        if (node.op == BinaryOp::Mul) return histogram_with_number(node, right.histogram, left.value, fits);
        fits = false;
    } else {
        result = number_with_number(node, left.value, right.value, fits);
    }
    if (!fits) {
        applies = false;
        const std::string name(to_string(node.op));
        const auto type = [](const Point& point) { return point.histogram ? "histogram" : "float"; };
        context.inform("incompatible sample types encountered for binary operator " + quote(name) + ": " + type(left) +
                           " " + name + " " + type(right),
                       place);
    }
    return result;
}

}  // namespace stoker::promql
