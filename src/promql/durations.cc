#include "promql/durations.h"

#include <cmath>
#include <string>

#include "promql/value_functions.h"

namespace stoker::promql {

namespace {

// As much as 64 bits of nanoseconds hold.
constexpr double kMostSeconds = 9223372036.854776;

Error fail(const DurationExpr& duration, std::string_view message) {
    return Error{Errc::InvalidArgument,
                 std::to_string(duration.begin) + ":" + std::to_string(duration.end) + ": " + std::string(message)};
}

enum class Sign : std::uint8_t { Positive, Any };

class Resolver {
public:
    Resolver(std::string_view query, QueryTimes times) : query_(query), times_(times) {}

    Result<Unit> resolve(Expr& expr) {
        return std::visit([&](auto& node) { return resolve_node(node); }, expr.node);
    }

private:
    Result<Unit> resolve_node(NumberLiteral&) { return Unit{}; }
    Result<Unit> resolve_node(StringLiteral&) { return Unit{}; }
    Result<Unit> resolve_node(VectorSelector& node) {
        return set(node.shift.offset, node.shift.offset_expr, Sign::Any);
    }
    Result<Unit> resolve_node(MatrixSelector& node) {
        TRY_UNIT(set(node.range, node.range_expr, Sign::Positive));
        return resolve(*node.vector);
    }
    Result<Unit> resolve_node(Subquery& node) {
        TRY_UNIT(set(node.shift.offset, node.shift.offset_expr, Sign::Any));
        TRY_UNIT(set(node.step, node.step_expr, Sign::Positive));
        TRY_UNIT(set(node.range, node.range_expr, Sign::Positive));
        return resolve(*node.inner);
    }
    Result<Unit> resolve_node(Call& node) {
        for (ExprPtr& arg : node.args) TRY_UNIT(resolve(*arg));
        return Unit{};
    }
    Result<Unit> resolve_node(Aggregate& node) {
        if (node.param) TRY_UNIT(resolve(*node.param));
        return resolve(*node.inner);
    }
    Result<Unit> resolve_node(Binary& node) {
        TRY_UNIT(resolve(*node.left));
        return resolve(*node.right);
    }
    Result<Unit> resolve_node(Unary& node) { return resolve(*node.inner); }
    Result<Unit> resolve_node(Paren& node) { return resolve(*node.inner); }

    Result<Unit> set(std::int64_t& millis, const DurationPtr& duration, Sign sign) const {
        if (duration == nullptr) return Unit{};
        TRY(const double seconds, evaluate_duration(query_, *duration, times_));
        if (!std::isfinite(seconds)) return fail(*duration, "duration is NaN or infinite");
        if (seconds <= 0 && sign == Sign::Positive) return fail(*duration, "duration must be greater than 0");
        if (std::abs(seconds) > kMostSeconds) return fail(*duration, "duration is out of range");
        millis = static_cast<std::int64_t>(seconds * 1000);
        // Less than a millisecond is nothing, and no range or step is.
        if (millis == 0 && sign == Sign::Positive) return fail(*duration, "duration must be greater than 0");
        return Unit{};
    }

    std::string_view query_;
    QueryTimes times_;
};

}  // namespace

Result<double> evaluate_duration(std::string_view query, const DurationExpr& duration, QueryTimes times) {
    using Op = DurationExpr::Op;
    double left = 0;
    double right = 0;
    if (duration.left) {
        TRY(left, evaluate_duration(query, *duration.left, times));
    }
    if (duration.right) {
        TRY(right, evaluate_duration(query, *duration.right, times));
    }
    switch (duration.op) {
        case Op::Number:
            return duration.seconds;
        case Op::Step:
            return static_cast<double>(times.step) / 1000;
        case Op::Range:
            return static_cast<double>(times.range) / 1000;
        case Op::Plus:
            return right;
        case Op::Minus:
            return -right;
        case Op::Add:
            return left + right;
        case Op::Sub:
            return left - right;
        case Op::Mul:
            return left * right;
        case Op::Div:
            if (right == 0) return fail(duration, "division by zero");
            return left / right;
        case Op::Mod:
            if (right == 0) return fail(duration, "modulo by zero");
            return std::fmod(left, right);
        case Op::Pow:
            return std::pow(left, right);
        case Op::Min:
            return smaller(left, right);
        case Op::Max:
            break;
    }
    return larger(left, right);
}

Result<Unit> resolve_durations(std::string_view query, Expr& expr, QueryTimes times) {
    return Resolver(query, times).resolve(expr);
}

}  // namespace stoker::promql
