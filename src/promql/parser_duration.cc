// Lengths of time in brackets and behind `offset`: numbers, durations, and arithmetic on them.
//
// Behind `offset` a literal ends the length, so that `a offset 5m + b` is a sum; there, arithmetic needs parentheses.
#include <cmath>
#include <utility>

#include "promql/parser_state.h"

namespace stoker::promql::internal {

namespace {

using Op = DurationExpr::Op;

// As much as 64 bits of nanoseconds hold.
constexpr double kMostSeconds = 9223372036.854776;

struct Operator {
    Op op;
    int precedence;
};

std::optional<Operator> operator_of(const Token& token) {
    switch (token.kind) {
        case TokenKind::Plus:
            return Operator{Op::Add, 4};
        case TokenKind::Minus:
            return Operator{Op::Sub, 4};
        case TokenKind::Star:
            return Operator{Op::Mul, 5};
        case TokenKind::Slash:
            return Operator{Op::Div, 5};
        case TokenKind::Percent:
            return Operator{Op::Mod, 5};
        case TokenKind::Caret:
            return Operator{Op::Pow, 6};
        default:
            return std::nullopt;
    }
}

std::shared_ptr<DurationExpr> make(Op op, std::size_t begin, std::size_t end, DurationPtr left = nullptr,
                                   DurationPtr right = nullptr) {
    auto duration = std::make_shared<DurationExpr>();
    duration->op = op;
    duration->begin = begin;
    duration->end = end;
    duration->left = std::move(left);
    duration->right = std::move(right);
    return duration;
}

bool is_sign(const Token& token) {
    return token.kind == TokenKind::Plus || token.kind == TokenKind::Minus;
}

}  // namespace

// What is computed is experimental.
Result<DurationPtr> Parser::computed(DurationPtr duration) const {
    if (features_ == Features::Experimental) return duration;
    return parse_error(query_, duration->begin, "experimental duration expression is not enabled");
}

Result<DurationPtr> Parser::duration_literal() {
    const Token token = take();
    if (std::abs(token.number) > kMostSeconds) return fail(token, "duration out of range");
    auto duration = make(Op::Number, token.begin, token.end);
    duration->seconds = token.number;
    duration->written_as_duration = token.kind == TokenKind::Duration;
    return DurationPtr(std::move(duration));
}

Result<DurationPtr> Parser::signed_duration(const Token& sign, DurationPtr operand) const {
    const bool minus = sign.kind == TokenKind::Minus;
    if (operand->op == Op::Number) {
        auto literal = std::make_shared<DurationExpr>(*operand);
        if (minus) literal->seconds = -literal->seconds;
        literal->begin = sign.begin;
        return DurationPtr(std::move(literal));
    }
    if (!minus) return operand;
    const std::size_t end = operand->end;
    return DurationPtr(make(Op::Minus, sign.begin, end, nullptr, std::move(operand)));
}

// step(), range(), min_of(a, b), max_of(a, b), (a), a literal.
Result<DurationPtr> Parser::duration_operand() {
    const Token first = peek();
    if (first.kind == TokenKind::Number || first.kind == TokenKind::Duration) return duration_literal();
    if (first.kind == TokenKind::LeftParen) {
        take();
        TRY(DurationPtr inner, duration_expression(0));
        TRY_UNIT(expect(TokenKind::RightParen, "", ""));
        TRY(inner, computed(std::move(inner)));
        if (inner->op == Op::Number) return inner;
        auto wrapped = std::make_shared<DurationExpr>(*inner);
        wrapped->parenthesised = true;
        return DurationPtr(std::move(wrapped));
    }
    const bool step = is_word(first, "step");
    if (step || is_word(first, "range")) {
        take();
        TRY_UNIT(expect(TokenKind::LeftParen, "", ""));
        TRY_UNIT(expect(TokenKind::RightParen, "", ""));
        return computed(make(step ? Op::Step : Op::Range, first.begin, last_end()));
    }
    const bool least = is_word(first, "min_of");
    if (least || is_word(first, "max_of")) {
        take();
        TRY_UNIT(expect(TokenKind::LeftParen, "", ""));
        TRY(DurationPtr left, duration_expression(0));
        TRY_UNIT(expect(TokenKind::Comma, "", ""));
        TRY(DurationPtr right, duration_expression(0));
        TRY_UNIT(expect(TokenKind::RightParen, "", ""));
        return computed(make(least ? Op::Min : Op::Max, first.begin, last_end(), std::move(left), std::move(right)));
    }
    return unexpected(first);
}

Result<DurationPtr> Parser::duration_expression(int min_precedence) {
    const Nesting nesting(*this);
    if (too_deep()) return fail(peek(), "expression is nested too deeply");
    DurationPtr left;
    if (is_sign(peek())) {
        const Token sign = take();
        TRY(DurationPtr operand, duration_expression(6));
        TRY(left, signed_duration(sign, std::move(operand)));
    } else {
        TRY(left, duration_operand());
    }
    for (int length = 0;; ++length) {
        const std::optional<Operator> found = operator_of(peek());
        if (!found || found->precedence < min_precedence) return left;
        if (length > kMaxDepth) return fail(peek(), "expression is nested too deeply");
        const Token sign = take();
        TRY(DurationPtr right, duration_expression(found->op == Op::Pow ? found->precedence : found->precedence + 1));
        TRY(left, computed(std::move(left)));
        const bool zero = right->op == Op::Number && right->seconds == 0;
        if (zero && found->op == Op::Div) return fail(sign, "division by zero");
        if (zero && found->op == Op::Mod) return fail(sign, "modulo by zero");
        const std::size_t begin = left->begin;
        const std::size_t end = right->end;
        left = make(found->op, begin, end, std::move(left), std::move(right));
    }
}

// Milliseconds if it is a literal; else `computed_from` is set.
Result<std::int64_t> Parser::positive_duration(std::string_view context, std::string_view expected,
                                               DurationPtr& computed_from) {
    const Context within(*this, context, expected);
    TRY(DurationPtr duration, duration_expression(0));
    if (duration->op != Op::Number) {
        computed_from = std::move(duration);
        return std::int64_t{0};
    }
    const auto millis = static_cast<std::int64_t>(std::round(duration->seconds * 1000));
    if (duration->seconds <= 0 || millis <= 0) {
        return parse_error(query_, duration->begin, "duration must be greater than 0");
    }
    return millis;
}

Result<std::int64_t> Parser::offset_duration(DurationPtr& computed_from) {
    const Context within(*this, "offset", "number, duration, step(), or range()");
    std::optional<Token> sign;
    if (is_sign(peek())) sign = take();
    TRY(DurationPtr duration, duration_operand());
    if (sign) {
        TRY(duration, signed_duration(*sign, std::move(duration)));
    }
    if (duration->op != Op::Number) {
        computed_from = std::move(duration);
        return std::int64_t{0};
    }
    return static_cast<std::int64_t>(std::round(duration->seconds * 1000));
}

}  // namespace stoker::promql::internal
