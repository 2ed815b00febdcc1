// Expressions under the modifier @ have one value, whatever the step: they are evaluated once.
#include <algorithm>
#include <array>

#include "promql/evaluator.h"

namespace stoker::promql {

namespace {

// Functions whose results depend on the step itself, whatever their arguments.
bool looks_at_step(const Call& call) {
    static constexpr std::array<std::string_view, 4> kNames = {"time", "timestamp", "predict_linear", "info"};
    if (call.args.empty()) return call.function->name != "pi";
    return std::find(kNames.begin(), kNames.end(), call.function->name) != kNames.end();
}

}  // namespace

bool is_step_invariant(const Expr& expr) {
    const auto all = [](const std::vector<ExprPtr>& exprs) {
        return std::all_of(exprs.begin(), exprs.end(), [](const ExprPtr& one) { return is_step_invariant(*one); });
    };
    if (expr.as<NumberLiteral>() != nullptr || expr.as<StringLiteral>() != nullptr) return true;
    if (const auto* node = expr.as<VectorSelector>()) return node->shift.at.has_value();
    if (const auto* node = expr.as<MatrixSelector>()) return is_step_invariant(*node->vector);
    if (const auto* node = expr.as<Subquery>()) return node->shift.at.has_value();
    if (const auto* node = expr.as<Paren>()) return is_step_invariant(*node->inner);
    if (const auto* node = expr.as<Unary>()) return is_step_invariant(*node->inner);
    if (const auto* node = expr.as<Call>()) return !looks_at_step(*node) && all(node->args);
    if (const auto* node = expr.as<Aggregate>()) {
        return is_step_invariant(*node->inner) && (node->param == nullptr || is_step_invariant(*node->param));
    }
    if (const auto* node = expr.as<Binary>()) return is_step_invariant(*node->left) && is_step_invariant(*node->right);
    return false;
}

}  // namespace stoker::promql
