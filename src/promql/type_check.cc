// Types of expressions, with the messages that Prometheus gives for operands that do not fit.
#include <algorithm>

#include "promql/format.h"
#include "promql/functions.h"
#include "promql/lexer.h"
#include "promql/parser.h"
#include "promql/parser_state.h"

namespace stoker::promql::internal {

namespace {

class TypeChecker {
public:
    explicit TypeChecker(std::string_view query) : query_(query) {}

    Result<Unit> check(Expr& expr) {
        return std::visit([&](auto& node) { return check_node(expr, node); }, expr.node);
    }

private:
    Error fail(const Expr& at, std::string_view message) const { return parse_error(query_, at.begin, message); }

    Result<Unit> expect(Expr& expr, ValueType wanted, const std::string& context) {
        TRY_UNIT(check(expr));
        if (expr.type == wanted) return Unit{};
        return fail(expr, "expected type " + std::string(to_string(wanted)) + " in " + context + ", got " +
                              std::string(to_string(expr.type)));
    }

    Result<Unit> check_node(Expr& expr, NumberLiteral&) {
        expr.type = ValueType::Scalar;
        return Unit{};
    }
    Result<Unit> check_node(Expr& expr, StringLiteral&) {
        expr.type = ValueType::String;
        return Unit{};
    }
    Result<Unit> check_node(Expr& expr, VectorSelector&) {
        expr.type = ValueType::InstantVector;
        return Unit{};
    }
    Result<Unit> check_node(Expr& expr, MatrixSelector& node) {
        expr.type = ValueType::RangeVector;
        return check(*node.vector);
    }

    Result<Unit> check_node(Expr& expr, Subquery& node) {
        expr.type = ValueType::RangeVector;
        TRY_UNIT(check(*node.inner));
        if (node.inner->type == ValueType::InstantVector) return Unit{};
        const ValueType type = node.inner->type;
        const std::string name = type == ValueType::RangeVector ? "matrix" : std::string(to_string(type));
        return fail(expr, "subquery is only allowed on instant vector, got " + name + " instead");
    }

    Result<Unit> check_node(Expr& expr, Paren& node) {
        TRY_UNIT(check(*node.inner));
        expr.type = node.inner->type;
        return Unit{};
    }

    Result<Unit> check_node(Expr& expr, Unary& node) {
        TRY_UNIT(check(*node.inner));
        expr.type = node.inner->type;
        if (expr.type == ValueType::Scalar || expr.type == ValueType::InstantVector) return Unit{};
        return fail(expr, "unary expression only allowed on expressions of type scalar or instant vector, got \"" +
                              std::string(to_string(expr.type)) + "\"");
    }

    Result<Unit> check_node(Expr& expr, Aggregate& node) {
        expr.type = ValueType::InstantVector;
        TRY_UNIT(expect(*node.inner, ValueType::InstantVector, "aggregation expression"));
        if (node.param == nullptr) return Unit{};
        const bool text = node.op == Aggregate::Op::CountValues;
        return expect(*node.param, text ? ValueType::String : ValueType::Scalar, "aggregation parameter");
    }

    Result<Unit> check_node(Expr& expr, Call& node) {
        const Function& function = *node.function;
        expr.type = function.returns;
        const std::string name = quote(function.name);
        const auto given = static_cast<int>(node.args.size());
        const auto types = static_cast<int>(function.args.size());
        const std::string tail = " argument(s) in call to " + name + ", got " + std::to_string(given);
        const int least = function.variadic == 0 ? types : types - 1;
        if (function.variadic == 0 && given != types) {
            return fail(expr, "expected " + std::to_string(types) + tail);
        }
        if (given < least) return fail(expr, "expected at least " + std::to_string(least) + tail);
        if (function.variadic > 0 && given > least + function.variadic) {
            return fail(expr, "expected at most " + std::to_string(least + function.variadic) + tail);
        }
        if (function.name == "info" && given > 1) {
            const auto* selector = node.args[1]->as<VectorSelector>();
            if (selector == nullptr) return fail(*node.args[1], "expected label selectors only");
            if (!selector->name.empty()) {
                return fail(*node.args[1], "expected label selectors only, got vector selector instead");
            }
        }
        for (int i = 0; i < given; ++i) {
            const ValueType wanted = function.args[static_cast<std::size_t>(std::min(i, types - 1))];
            TRY_UNIT(expect(*node.args[static_cast<std::size_t>(i)], wanted, "call to function " + name));
        }
        return Unit{};
    }

    Result<Unit> check_node(Expr& expr, Binary& node) {
        TRY_UNIT(check(*node.left));
        TRY_UNIT(check(*node.right));
        const auto fits = [](const Expr& side) {
            return side.type == ValueType::Scalar || side.type == ValueType::InstantVector;
        };
        for (const Expr* side : {node.left.get(), node.right.get()}) {
            if (!fits(*side)) return fail(*side, "binary expression must contain only scalar and instant vector types");
        }
        const bool vectors =
            node.left->type == ValueType::InstantVector && node.right->type == ValueType::InstantVector;
        const bool scalars = node.left->type == ValueType::Scalar && node.right->type == ValueType::Scalar;
        expr.type = scalars ? ValueType::Scalar : ValueType::InstantVector;
        if (scalars && is_comparison(node.op) && !node.return_bool) {
            return parse_error(query_, node.op_begin, "comparisons between scalars must use BOOL modifier");
        }
        if (!vectors && is_set_operator(node.op)) {
            return fail(expr, "set operator " + quote(to_string(node.op)) + " not allowed in binary scalar expression");
        }
        if (!vectors && node.matching.given && !node.matching.labels.empty()) {
            return fail(expr, "vector matching only allowed between instant vectors");
        }
        if (node.matching.fill_left || node.matching.fill_right) {
            if (!vectors) return fail(expr, "filling in missing series only allowed between instant vectors");
            if (is_set_operator(node.op)) {
                return fail(expr, "filling in missing series not allowed for set operators");
            }
        }
        return Unit{};
    }

    std::string_view query_;
};

}  // namespace

Result<Unit> check_types(std::string_view query, Expr& expr) {
    return TypeChecker(query).check(expr);
}

}  // namespace stoker::promql::internal
